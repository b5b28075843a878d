#!/bin/sh
# Makes what is given out, from the last commit and dated by it, so that who builds the same commit has the same bytes.
#
#   deploy/release.sh packages [FOLDER]   the wheel and the source archive, into dist or the folder
#   deploy/release.sh                     those, bills of materials, the service's image, and SHA256SUMS over all of it; and
#                                         the tag vVERSION, if CHANGELOG.md has that version with its date and nothing
#                                         under Unreleased
#   deploy/release.sh tag                 the tag alone
#
# The wheel has the three packages, the models, and of the npm packages what the page is served from (pyproject.toml
# names it); they come from app/web/node_modules, where npm has held them against the lock. The image stays in Docker, as
# lilt:VERSION; image.txt has its name, its size and one hash of all its files. Two builds of it differ in the dates of
# files alone, so that hash is what to compare; it stays the same until Debian mends a package.
set -eu
cd "$(dirname "$0")/.."
purpose=${1:-all} out=${2:-dist}
python=$(cd "$VENV" && pwd)/bin/python
umask 022

SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
version=$(sed -n 's/^VERSION = "\(.*\)"/\1/p' app/version.py)
[ -z "$(git status --porcelain)" ] || echo 'note: what is not committed is left out' >&2

# tag_release: the version of app/version.py on this commit, once; never moved.
tag_release() {
  if ! git show HEAD:CHANGELOG.md | grep -qE "^## \[$version\] - [0-9]{4}-[0-9]{2}-[0-9]{2}$"; then
    echo "note: not tagged: CHANGELOG.md has no line '## [$version] - DATE'"
  elif git show HEAD:CHANGELOG.md | sed -n '/^## \[Unreleased\]/,/^## \[[0-9]/p' | grep -q '^- '; then
    echo "note: not tagged: CHANGELOG.md has changes under Unreleased; give them a version, in app/version.py too"
  elif tagged=$(git rev-parse -q --verify "v$version^{commit}"); then
    [ "$tagged" = "$(git rev-parse HEAD)" ] || echo "note: not tagged: v$version is another commit already"
  else
    git tag -a -m "Lilt $version" "v$version"
    echo "tagged v$version"
  fi
}

if [ "$purpose" = tag ]; then
  tag_release
  exit
fi

mkdir -p "$out"
out=$(cd "$out" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tree=$scratch/lilt-$version
mkdir "$tree"
git archive HEAD | tar -x -C "$tree"
cp -RL app/web/node_modules "$tree/app/web/"

# setuptools dates a wheel by SOURCE_DATE_EPOCH, and a source archive by the clock and whoever runs it: that is packed again.
"$python" -m uv build --quiet --no-build-isolation --python "$python" --out-dir "$scratch/built" "$tree"
mkdir "$scratch/sdist"
tar -xzf "$scratch/built/lilt-$version.tar.gz" -C "$scratch/sdist"
tar -C "$scratch/sdist" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
  --format=ustar -cf - "lilt-$version" | gzip -9n >"$out/lilt-$version.tar.gz"
cp "$scratch/built/lilt-$version-py3-none-any.whl" "$out/"
[ "$purpose" != packages ] || exit 0

deploy/audit.sh bills
cp .cache/sbom/serve.json "$out/lilt-$version-serve.cdx.json"
cp .cache/sbom/training.json "$out/lilt-$version-training.cdx.json"
cp .cache/sbom/web.json "$out/lilt-$version-web.cdx.json"

rm -rf "$tree/app/web/node_modules"
docker build --target serve --tag "lilt:$version" --build-arg "VERSION=$version" \
  --build-arg "REVISION=$(git rev-parse HEAD)" --build-arg "CREATED=$(git log -1 --format=%cI)" "$tree"
container=$(docker create "lilt:$version")
{
  echo "image lilt:$version"
  echo "bytes $(docker image inspect --format '{{.Size}}' "lilt:$version")"
  echo "files-sha256 $(docker export "$container" | "$python" deploy/tree_hash.py)"
} >"$out/image.txt"
docker rm --volumes "$container" >/dev/null

cd "$out"
sha256sum "lilt-$version.tar.gz" "lilt-$version-py3-none-any.whl" "lilt-$version"-*.cdx.json image.txt >SHA256SUMS
cat image.txt SHA256SUMS
cd - >/dev/null
tag_release
