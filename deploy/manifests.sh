#!/bin/sh
# Sets up what judges the files of this folder: promtool and Caddy, unpacked from Debian's packages, and Docker Compose and
# kubernetes-validate from requirements/manifests.txt, all in .cache/manifests. Nothing is installed on the system; where
# something cannot be had here, its tests are skipped. `deploy/manifests.sh test` runs the tests too.
set -eu
cd "$(dirname "$0")/.."
tools=$PWD/.cache/manifests
venv=$(cd "${VENV:-.venv}" && pwd)

unpack() { # unpack PACKAGE PROGRAM
  [ ! -x "$tools/bin/$2" ] || return 0
  command -v apt-get >/dev/null || return 1
  mkdir -p "$tools/bin" "$tools/debs"
  (
    cd "$tools/debs" && rm -f "$1"_*.deb && apt-get download -qq "$1" 2>/dev/null &&
      dpkg-deb --fsys-tarfile "$1"_*.deb | tar -x ./usr/bin/"$2" && mv "usr/bin/$2" "$tools/bin/"
  ) >/dev/null
}

unpack prometheus promtool || echo 'note: promtool cannot be had here' >&2
unpack caddy caddy || echo 'note: Caddy cannot be had here' >&2
rm -rf "$tools/debs"
if ! cmp -s requirements/manifests.txt "$tools/lock"; then
  rm -rf "$tools/venv"
  "$venv/bin/uv" venv --quiet --python "$venv/bin/python" "$tools/venv"
  if "$venv/bin/uv" pip install --quiet --python "$tools/venv/bin/python" --require-hashes -r requirements/manifests.txt; then
    cp requirements/manifests.txt "$tools/lock"
  else
    echo 'note: Docker Compose and kubernetes-validate cannot be had here' >&2
  fi
fi
[ "${1:-}" = test ] || exit 0
exec "$venv/bin/python" -m pytest -q tests/deploy/test_manifests.py
