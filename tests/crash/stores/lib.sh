# Sourced by the crash scripts that put an object store under a collector: a folder, or one of the S3 servers of $LM_SHARED/s3, that can be taken away.
# shellcheck shell=bash

store_kind='' store_scripts='' relay_to='' store_pid=''

# open_store KIND: directory; light, an S3 server in Node that holds all in memory; real, Ceph's gateway. Exit code 77 where the machine has none.
open_store() {
  store_kind=$1
  if [[ $1 == directory ]]; then
    mkdir "$work/bucket"
    store_is well
    return 0
  fi
  local scripts base exports
  scripts=$(cd "${LM_SHARED:-$ROOT/../shared}" 2>/dev/null && pwd)/s3 || true
  [[ -x $scripts/$1-up.sh ]] || skip "there is no $scripts/$1-up.sh; LM_SHARED names the folder that has the S3 servers"
  find_kit tcpfault.py
  case $1 in
    light) need node=nodejs npm=npm ;;
    real) need radosgw=radosgw ceph-mon=ceph-mon ceph-osd=ceph-osd ceph=ceph-common ;;
  esac
  base=$((12000 + BASHPID % 500 * 12)) # ten ports for the real one's own
  export S3_LIGHT_DIR=$work/s3 S3_LIGHT_PORT=$base S3_LIGHT_TLS=0 S3_REAL_DIR=$work/s3 S3_REAL_PORT=$base S3_REAL_TLS=0 S3_REAL_BASE=$((base + 2)) S3_BUCKET=telemetry
  mkdir -p "$work/s3" "${TMPDIR:-/tmp}/lm-s3-npm"
  [[ $1 == real ]] || ln -s "${TMPDIR:-/tmp}/lm-s3-npm" "$work/s3/npm" # what the light one is made of is installed once
  exports=$(flock -o "${TMPDIR:-/tmp}/lm-s3-npm" "$scripts/$1-up.sh" 2>>"$work/other.log") || die "the $1 S3 server did not start: $(tail -n 5 "$work/other.log")"
  store_scripts=$scripts
  trap 'code=$?; close_store; cleanup $code' EXIT
  relay_to=$(sed -n 's|^export S3_ENDPOINT=http://||p' <<<"$exports")
  (
    umask 077
    sed -n 's/^export AWS_ACCESS_KEY_ID=//p' <<<"$exports" >"$work/key-id"
    sed -n 's/^export AWS_SECRET_ACCESS_KEY=//p' <<<"$exports" >"$work/key"
  )
  store_port=$(free_port)
  store_is well
}

close_store() {
  end_relay
  "$store_scripts/down.sh" "$store_kind" >/dev/null 2>&1 || true
}

end_relay() {
  [[ -n $store_pid ]] || return 0
  kill -KILL "$store_pid" 2>/dev/null || true
  wait "$store_pid" 2>/dev/null || true
  store_pid=''
}

# store_settings PREFIX: the table of server.toml.
store_settings() {
  if [[ $store_kind == directory ]]; then
    printf '[object_store]\nkind = "directory"\ndirectory = "%s"\nprefix = "%s"\n' "$work/objects" "$1"
    return
  fi
  cat <<T
[object_store]
kind = "s3"
bucket = "telemetry"
endpoint = "http://127.0.0.1:$store_port"
access_key_id_file = "$work/key-id"
secret_access_key_file = "$work/key"
prefix = "$1"
multipart_bytes = 8388608 # the light one takes no bodies beyond 11 MiB
T
}

# store_is well | away | MODE of tcpfault.py (slow=20000, cut=5000, reset=20, stall …), for all who use it, in one step. A folder knows well and away alone.
store_is() {
  if [[ $store_kind == directory ]]; then
    # A link, so that it goes and comes at once: without it every request fails, whoever asks.
    if [[ $1 == well ]]; then ln -s "$work/bucket" "$work/link"; else ln -s /proc "$work/link"; fi
    mv -T "$work/link" "$work/objects"
    return 0
  fi
  end_relay
  [[ $1 != away ]] || return 0
  local mode=$1
  [[ $mode != well ]] || mode=pass
  "$kit/tcpfault.py" --listen "$store_port" --to "$relay_to" --seconds 86400 --seed "$seed" --schedule "0:$mode" >/dev/null 2>>"$work/other.log" &
  store_pid=$!
  for _ in $(seq 100); do
    ! (exec 3<>"/dev/tcp/127.0.0.1/$store_port") 2>/dev/null || return 0
    sleep 0.02
  done
  die "the relay before the store does not listen: $(tail -n 5 "$work/other.log")"
}

# A way in which a store fails, by chance: each that this kind knows.
store_fault() {
  local faults=(away)
  [[ $store_kind == directory ]] || faults=(away away slow=20000 cut=5000 reset=20 stall)
  printf '%s' "${faults[RANDOM % ${#faults[@]}]}"
}

# fetch_store PREFIX FOLDER: all that lies below the prefix, as files. Past the relay.
fetch_store() {
  if [[ $store_kind == directory ]]; then
    rm -rf "$2"
    cp -r "$work/bucket/$1" "$2"
  else
    rm -rf "$2"
    python3 "$ROOT/tests/crash/stores/s3_fetch.py" "http://$relay_to" telemetry "$1/" "$work/key-id" "$work/key" "$2"
  fi
}
