# Sourced by the scripts beside it: where things are, progress lines, and the Debian packages that a fresh machine lacks.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
# A build server that outlives a script would keep its output pipe open, and its memory from the tests.
export MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=false

say() { printf '%s\n' "$*"; }

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# step TEXT COMMAND…: runs the command with its output in a file, says how long it took, and shows the output where it failed.
step() {
  local text=$1 began=$SECONDS log
  shift
  log=$(mktemp "${TMPDIR:-/tmp}/lm-step.XXXXXX")
  printf '%s … ' "$text"
  if "$@" >"$log" 2>&1 </dev/null; then
    printf 'done in %d s\n' "$((SECONDS - began))"
    rm -f "$log"
  else
    printf 'failed after %d s\n' "$((SECONDS - began))"
    cat "$log"
    rm -f "$log"
    return 1
  fi
}

# need PROGRAM-OR-FILE=PACKAGE…: installs the packages whose program (or file, where it has a slash) is missing.
need() {
  local pair what missing=()
  for pair in "$@"; do
    what=${pair%%=*}
    case $what in
      */*) compgen -G "$what" >/dev/null || missing+=("${pair#*=}") ;;
      *) command -v "$what" >/dev/null || missing+=("${pair#*=}") ;;
    esac
  done
  [[ ${#missing[@]} -gt 0 ]] || return 0
  command -v apt-get >/dev/null || die "missing: ${missing[*]}; there is no apt-get here, install them by hand"
  local as=()
  if [[ $(id -u) -ne 0 ]]; then
    command -v sudo >/dev/null || die "missing: ${missing[*]}; run as root once, or install them by hand"
    as=(sudo)
  fi
  step "Reading Debian's package lists" "${as[@]}" apt-get update -q
  step "Installing ${missing[*]}" "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
}

need_dotnet() {
  command -v dotnet >/dev/null || die "the .NET SDK is missing; global.json names the version: install it so that 'dotnet' is on the PATH"
}

# What running the programs takes: libzstd is called by P/Invoke.
need_runtime() {
  need '/usr/lib/*/libzstd.so.1=libzstd1' openssl=openssl curl=curl
}

# What linking Native AOT programs takes.
need_aot() {
  [[ $(uname -m) == x86_64 ]] || die "release binaries are built for x86-64; this machine is $(uname -m)"
  need gcc=gcc objcopy=binutils '/usr/include/*/sys/types.h=libc6-dev' /usr/include/zlib.h=zlib1g-dev '/usr/lib/*/libzstd.so.1=libzstd1'
}
