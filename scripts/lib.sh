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

# packages_of PROGRAM-OR-FILE=PACKAGE…: the packages whose program (or file, where it has a slash) is missing, one a line.
packages_of() {
  local pair what
  for pair in "$@"; do
    what=${pair%%=*}
    case $what in
      */*) compgen -G "$what" >/dev/null || say "${pair#*=}" ;;
      *) command -v "$what" >/dev/null || say "${pair#*=}" ;;
    esac
  done
}

# need PROGRAM-OR-FILE=PACKAGE…: installs the packages whose program or file is missing.
need() {
  local missing as=()
  mapfile -t missing < <(packages_of "$@")
  [[ ${#missing[@]} -gt 0 ]] || return 0
  command -v apt-get >/dev/null || die "missing: ${missing[*]}; there is no apt-get here, install them by hand"
  if [[ $(id -u) -ne 0 ]]; then
    command -v sudo >/dev/null || die "missing: ${missing[*]}; run as root once, or install them by hand"
    as=(sudo)
  fi
  # Scripts that run beside each other may need the same, and apt-get waits for nobody.
  (
    flock 9
    hash -r
    mapfile -t missing < <(packages_of "$@")
    [[ ${#missing[@]} -gt 0 ]] || exit 0
    step "Reading Debian's package lists" "${as[@]}" apt-get update -q &&
      step "Installing ${missing[*]}" "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
  ) 9>"${TMPDIR:-/tmp}/lm-packages-$(id -u).lock"
}

# unpack PROGRAM=PACKAGE…: puts programs of Debian packages under artifacts/peers and on the PATH, where the machine has none. Unpacked and not
# installed: these are servers that tests compare with, and an installed one would start as a service.
unpack() {
  local pair program package folder="$ROOT/artifacts/peers"
  export PATH="$PATH:$folder/usr/bin"
  for pair in "$@"; do
    program=${pair%%=*} package=${pair#*=}
    ! command -v "$program" >/dev/null || continue
    command -v apt-get >/dev/null || die "missing: $package; there is no apt-get here, install it by hand"
    step "Unpacking $package" unpack_package "$package" "$folder" || return 1
  done
}

unpack_package() { # PACKAGE FOLDER
  local work code=0
  work=$(mktemp -d "${TMPDIR:-/tmp}/lm-unpack.XXXXXX")
  chmod 755 "$work"
  mkdir -p "$2"
  if [[ $(id -u) -eq 0 ]]; then apt-get update -q; fi
  (cd "$work" && apt-get download -q "$1" && dpkg-deb -x "$1"_*.deb "$2") || code=$?
  rm -rf "$work"
  return "$code"
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

# make_certificates DIR AGENT_ID [IP]: a throw-away CA, a server certificate for localhost (and an address) and a client certificate for the agent.
# What is there and valid for another day is kept.
make_certificates() {
  local dir=$1 agent=$2 address=${3:-127.0.0.1}
  (
    umask 077
    mkdir -p "$dir"
    cd "$dir"
    fresh() { openssl x509 -in "$1" -noout -checkend 86400 >/dev/null 2>&1; }
    if ! fresh ca.pem; then
      rm -f server.pem agent.pem
      openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=lightmetrics throw-away CA" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign -keyout ca.key -out ca.pem
    fi
    issue() { # NAME SUBJECT EXTENSIONS
      openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" -keyout "$1.key" -out "$1.csr"
      printf '%s\n' "$3" >"$1.ext"
      openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 29 -extfile "$1.ext" -out "$1.pem"
      rm -f "$1.csr" "$1.ext"
    }
    fresh server.pem || issue server localhost "subjectAltName=DNS:localhost,IP:$address
extendedKeyUsage=serverAuth"
    fresh agent.pem || issue agent "$agent" "subjectAltName=DNS:$agent
extendedKeyUsage=clientAuth"
  ) >/dev/null 2>&1 || die "openssl could not make the certificates in $dir"
}

# make_secret FILE: a random token in a file of mode 0600; one that is there is kept.
make_secret() {
  [[ -s $1 ]] || (umask 077 && openssl rand -hex 32 >"$1")
}

# free_port: a loopback port that nothing listens on.
free_port() {
  local port
  for _ in $(seq 50); do
    port=$((20000 + RANDOM % 12000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { printf '%s' "$port"; return 0; }
  done
  die "found no free port"
}

# alive PIDFILE WORD: whether the process of the file runs and has WORD in its command line (a pid may have been taken by another).
alive() {
  local pid
  pid=$(cat "$1" 2>/dev/null) && [[ -n $pid ]] && tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$2"
}

# stop_process PIDFILE WORD SECONDS: SIGTERM, and SIGKILL once the time is over.
stop_process() {
  local pid
  if alive "$1" "$2"; then
    pid=$(cat "$1")
    kill -TERM "$pid" 2>/dev/null || true
    for _ in $(seq $(($3 * 10))); do
      alive "$1" "$2" || break
      sleep 0.1
    done
    if alive "$1" "$2"; then kill -KILL "$pid" 2>/dev/null || true; fi
  fi
  rm -f "$1"
}
