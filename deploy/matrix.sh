#!/bin/sh
# Tries the two commands of a newcomer in bare systems: the last commit, in a root of each suite that holds the suite's
# essential packages and make, and nothing else. Prints a line a suite; ends with 1 where one of them failed.
#
#   deploy/matrix.sh [SUITE...]   default: bookworm trixie
#
# TESTS=1        `make test` as well: an hour at the most
# WHEEL=1        instead of the two commands, the wheel alone: pip install, `lilt tune` without and with the system packages
#                that rendering needs, `lilt serve`, and `uvx --from WHEEL lilt tune`; VENV is a checkout's environment
# SOURCES=path   a folder with SUITE.sources or SUITE.list, apt's sources of suites that this machine's own do not know; of
#                the others, this machine's are taken, with the suite's name in place of its own
# KEEP=path      a folder that gets SUITE.log, with all that was printed
#
# It needs root and mmdebstrap. The roots lie in TMPDIR or /var/tmp; processes and mounts are in namespaces that end with
# this script, however it ends, and the folder goes too, but at a kill -9. How this machine reaches the registries of apt,
# pip and npm holds inside: its resolver, its certificates, the settings of the three, and what pip's name of files here.
set -eu
cd "$(dirname "$0")/.."

die() {
  printf 'error: %s\n' "$*" >&2
  exit 2
}

# -------------------------------------------------------------------------------------------- in namespaces of its own

# Apt's sources of the suite.
sources() {
  for file in "${SOURCES:-}/$suite.sources" "${SOURCES:-}/$suite.list"; do
    if [ -f "$file" ]; then cat "$file" && return; fi
  done
  own=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list; do
    if [ -f "$file" ] && grep -qw "$own" "$file"; then sed "s/\\b$own\\b/$suite/g" "$file" && echo; fi
  done
}

# copied FROM [TO]: a file or folder of this machine, if it is here, to its own place in the root or to another.
copied() {
  [ -e "$1" ] || return 0
  to=$root${2:-$1}
  mkdir -p "${to%/*}"
  rm -rf "$to"
  cp -RL "$1" "$to"
}

make_root() {
  list=$root.list
  sources >"$list"
  [ -s "$list" ] || die "none of apt's sources here have $suite; name a folder that has them with SOURCES"
  if grep -q '^Types:' "$list"; then mv "$list" "$root.sources" && list=$root.sources; fi
  grep -hE '^Acquire::[A-Za-z:-]+ "[^"]*";' /etc/apt/apt.conf /etc/apt/apt.conf.d/* 2>/dev/null >"$root.apt" || : # none
  mmdebstrap --variant=minbase --include=make --aptopt="$root.apt" "$suite" "$root" "$list"
  for path in /etc/resolv.conf /etc/hosts /usr/local/share/ca-certificates /etc/pip.conf /etc/npmrc; do copied "$path"; done
  for path in .npmrc .pip .config/pip; do copied "$HOME/$path" "/root/$path"; done
  git archive --prefix=root/lilt/ HEAD | tar -x -C "$root"
  [ -z "${WHEEL:-}" ] || deploy/release.sh packages "$root/root/dist"
}

# What pip's settings name of files on this machine: with an index, what lies beside it; without certificates, which are
# the root's own.
files_of_pip() {
  python3 -m pip config list 2>/dev/null | grep -oE "/[^' ,]+" | sed 's,^//*,/,; s,/simple/*$,,' | grep -v '^/etc/ssl/' | sort -u |
    while read -r path; do if [ -e "$path" ]; then echo "$path"; fi; done
}

mount_all() {
  mount --bind "$root" "$root" # a root to turn to is a mount
  for path in $(files_of_pip); do
    if [ -d "$path" ]; then mkdir -p "$root$path"; else mkdir -p "$root${path%/*}" && : >"$root$path"; fi
    mount --bind "$path" "$root$path"
    mount -o remount,bind,ro "$root$path"
  done
  mount -t proc proc "$root/proc"
  mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
}

# What the root's own shell does, with the environment's settings of how registries are reached and no others.
inside=$(
  cat <<'INSIDE'
cd /root/lilt
began=$(date +%s)
LILT_PORT=0 make serve >/root/serve.log 2>&1 &
server=$!
until url=$(grep -oE 'running on http://[^ "]+' /root/serve.log); do
  kill -0 "$server" 2>/dev/null || { cat /root/serve.log && exit 1; }
  sleep 0.2
done
url=${url#running on }
.venv/bin/python - "$url" "$began" <<'ASK'
import json, sys, time
from urllib.request import Request, urlopen
url, began = sys.argv[1], int(sys.argv[2])
ready = json.load(urlopen(url + "/readyz", timeout=60))
took = time.time() - began
def ask(path, body):
    request = Request(url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urlopen(request, timeout=120) as answer:
        return answer.status, answer.read()
status, made = ask("/generate", {"seed": 1})
(tune,) = json.loads(made)["tunes"]
rendered = {form: ask("/render", {"abc": tune["abc"], "format": form}) for form in ("wav", "mp3", "svg", "pdf")}
files = ", ".join(f"{form} {code} ({len(file):,} bytes)" for form, (code, file) in rendered.items())
python = ".".join(map(str, sys.version_info[:3]))
sandbox = ready["sandbox"]
print(f"ready after {took:.0f} s with Python {python}, {ready['status']}, {sandbox}; /generate {status}; /render {files}")
ASK
kill "$server"
wait "$server" || :
if [ -n "${TESTS:-}" ]; then
  timeout 3600 make test >/root/test.log 2>&1 || { tail -n 60 /root/test.log && exit 1; }
  tail -n 1 /root/test.log
fi
INSIDE
)

# The same for the wheel.
wheel_inside=$(
  cat <<'INSIDE'
cd /root
install() { apt-get install -qq --yes --no-install-recommends "$@" >>/root/apt.log 2>&1; }
now() { date +%s%N; }
since() { echo "$((($(now) - $1) / 100000000))" | sed 's/\(.\)$/.\1/; s/^\./0./'; }
apt-get update -qq
install ca-certificates python3-venv
began=$(now)
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check dist/*.whl
echo "wheel: pip install took $(since "$began") s, $(du -sm venv | cut -f 1) MB with its environment"
venv/bin/lilt --version
began=$(now)
venv/bin/lilt tune --key Ador --rhythm reel --seed 7 -o a.abc
echo "wheel: a.abc after $(since "$began") s, without a system package"
! venv/bin/lilt tune --seed 7 -o a.mp3 2>lacks || exit 1
cat lacks
# shellcheck disable=SC2046 # the words of the line that it says
install $(sed -n 's/.*--no-install-recommends //p' lacks)
began=$(now)
venv/bin/lilt tune --key Ador --rhythm reel --seed 7 -o a.mp3
echo "wheel: a.mp3 ($(wc -c <a.mp3) bytes) after $(since "$began") s, with the system packages that it named"
venv/bin/lilt tune --seed 7 -o a.pdf
began=$(now)
venv/bin/lilt serve --port 0 >serve.log 2>&1 &
server=$!
until url=$(grep -oE 'running on http://[^ "]+' serve.log); do
  kill -0 "$server" 2>/dev/null || { cat serve.log && exit 1; }
  sleep 0.1
done
echo "wheel: lilt serve is ready after $(since "$began") s"
venv/bin/python -c 'import sys; from urllib.request import urlopen
for path in ("/readyz", "/", "/vendor/abcjs.js"): print(path, urlopen(sys.argv[1] + path).status)' "${url#running on }"
kill "$server"
wait "$server" || :
venv/bin/pip install -q --disable-pip-version-check uv
began=$(now)
mkdir elsewhere && cd elsewhere
../venv/bin/uvx -q --from ../dist/*.whl lilt tune --seed 7 -o a.mp3
echo "wheel: uvx made a.mp3 ($(wc -c <a.mp3) bytes) after $(since "$began") s"
INSIDE
)
[ -z "${WHEEL:-}" ] || inside=$wheel_inside

megabytes() { du -sm --exclude="$root/proc" "$root" | cut -f 1; }

# Turned to, and not changed to by chroot, in which bubblewrap would not work.
# shellcheck disable=SC2016 # the inner shell's
turn='
  cd "$1"
  mkdir .host
  pivot_root . .host
  exec chroot . sh -euc "umount -l /.host && rmdir /.host && $2"'

try() {
  make_root
  bare=$(megabytes)
  mount_all
  mounted=$(megabytes) # what is mounted counts
  names='PIP_|UV_|npm_config_|NPM_CONFIG_|NODE_EXTRA_|SSL_|CURL_|REQUESTS_|OPENBLAS_|[a-z]+_proxy|[A-Z]+_PROXY'
  env | grep -E "^($names)" >"$root.settings" || : # none
  set --
  while read -r setting; do set -- "$@" "$setting"; done <"$root.settings"
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
    TESTS="${TESTS:-}" "$@" unshare --mount --propagation private sh -euc "$turn" sh "$root" "$inside"
  echo "$(($(megabytes) - mounted)) MB more than the $bare MB of the bare root"
}

if [ "${1:-}" = within ]; then
  root=$2 suite=${2##*/}
  try
  exit
fi

# ------------------------------------------------------------------------------------------------------------- main

[ $# -gt 0 ] || set -- bookworm trixie
[ "$(id -u)" = 0 ] || die "roots are made by root; this is $(id -un)"
for program in mmdebstrap unshare setpriv git; do
  command -v "$program" >/dev/null || die "$program is not installed"
done
[ -z "$(git status --porcelain)" ] || echo 'note: what is not committed is left out' >&2

scratch=$(mktemp -d "${TMPDIR:-/var/tmp}/lilt-matrix.XXXXXX")
child=
# shellcheck disable=SC2329 # `trap` calls it
tidy() {
  [ -z "$child" ] || { kill -KILL "$child" && wait "$child"; } 2>/dev/null || : # it has ended
  rm -rf --one-file-system "$scratch"
}
trap tidy EXIT
trap 'exit 130' INT TERM HUP

failed=0
for suite in "$@"; do
  setpriv --pdeathsig KILL unshare --mount --propagation private --pid --fork --mount-proc --kill-child \
    deploy/matrix.sh within "$scratch/$suite" >"$scratch/$suite.log" 2>&1 </dev/null &
  child=$! code=0
  wait "$child" || code=$?
  child=
  if [ "$code" = 0 ]; then
    told=$(grep -E '^(ready after|wheel: |[0-9]+ MB more|=* ?[0-9]+ passed)' "$scratch/$suite.log" |
      sed 's,^=* *\(.*[^ =]\) *=*$,\1,' | paste -sd '|' | sed 's,|,; ,g')
    printf '%s: %s\n' "$suite" "$told"
  else
    failed=1
    tail -n 20 "$scratch/$suite.log" | sed 's/^/  | /' >&2
    printf '%s: failed\n' "$suite"
  fi
  [ -z "${KEEP:-}" ] || { mkdir -p "$KEEP" && cp "$scratch/$suite.log" "$KEEP/"; }
  rm -rf --one-file-system "${scratch:?}/$suite"
done
exit "$failed"
