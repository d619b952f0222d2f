#!/usr/bin/env bash
# What the object store costs ingest: rate and latency with the store well, slow and away, and without one, by turns: store.sh [DIR-WITH-lm-collector]   (default out/)
# The store is the light S3 server of $LM_SHARED (default ../shared; it needs node and npm), behind the fault kit's relay. It lands each second, not each minute: a run is short.
# Prints a line for each run: what the store was, what the load driver says, requests to the store meanwhile.
#   LM_ROUNDS (3), LM_SECONDS of a run (8), LM_AGENTS (16)
#   LM_EVERY_MS          a fleet's pace in place of all that goes: each agent sends once in so many milliseconds (LM_AGENTS=1000 LM_EVERY_MS=15000 LM_SECONDS=30)
set -euo pipefail
LM_BIN=${1:-${LM_BIN:-}}
[[ -n $LM_BIN ]] || unset LM_BIN
LM_CONFIGURATION=${LM_CONFIGURATION:-Release}
source "$(dirname "${BASH_SOURCE[0]}")/../tests/crash/lib.sh"

agents=${LM_AGENTS:-16} seconds=${LM_SECONDS:-8}
find_kit tcpfault.py
need node=nodejs npm=npm
scripts=${LM_SHARED:-$ROOT/../shared}/s3
find_load_driver
write_settings unused
"$driver" tokens --agents "$agents" --secret-file "$work/secret" --prefix bench- >>"$work/ingest-tokens.toml"
cp "$work/server.toml" "$work/without.toml"
export S3_LIGHT_DIR=${S3_LIGHT_DIR:-$work/s3} S3_LIGHT_PORT=${S3_LIGHT_PORT:-$(free_port)} S3_LIGHT_TLS=0
exports=$("$scripts/light-up.sh")
trap '"$scripts/down.sh" light >/dev/null 2>&1 || true; cleanup' EXIT
endpoint=$(sed -n 's/^export S3_ENDPOINT=//p' <<<"$exports")
(
  umask 077
  sed -n 's/^export AWS_ACCESS_KEY_ID=//p' <<<"$exports" >"$work/key-id"
  sed -n 's/^export AWS_SECRET_ACCESS_KEY=//p' <<<"$exports" >"$work/key"
)
store_port=$(free_port)

with_store() { # PREFIX
  sed "s|^token_table_file|object_landing_interval_ms = 1000\n&|" "$work/without.toml" >"$work/server.toml"
  cat >>"$work/server.toml" <<T
[object_store]
kind = "s3"
bucket = "telemetry"
prefix = "$1"
endpoint = "http://127.0.0.1:$store_port"
region = "us-east-1"
force_path_style = true
access_key_id_file = "$work/key-id"
secret_access_key_file = "$work/key"
T
}

load() { # SECONDS
  if [[ -n ${LM_EVERY_MS:-} ]]; then
    "$driver" pace --url "https://127.0.0.1:$ingest_port" --ca "$work/tls/ca.pem" --secret-file "$work/secret" --prefix bench- --agents "$agents" --every-ms "$LM_EVERY_MS" --seconds "$1" --pid "$collector_pid"
    return
  fi
  "$driver" run --url "https://127.0.0.1:$ingest_port" --ca "$work/tls/ca.pem" --secret-file "$work/secret" --prefix bench- --agents "$agents" --batches 1000000 --seconds "$1" --pid "$collector_pid"
}

# run STORE MODE: MODE is the relay's, from five seconds on: the first start on an empty disk takes nothing before the store has answered.
run() {
  local relay_pid=''
  rm -rf "$work/spool" "$work/cache"
  cp "$work/without.toml" "$work/server.toml"
  if [[ $1 != none ]]; then
    with_store "$1-$round"
    "$kit/tcpfault.py" --listen "$store_port" --to "${endpoint#http://}" --seconds $((seconds + 120)) --schedule "0:pass;5:$2" >/dev/null 2>&1 &
    relay_pid=$!
    other_pids=$relay_pid
    sleep 0.5
  fi
  start_collector
  wait_ready
  load $((2 + ${LM_EVERY_MS:-0} / 1000)) >/dev/null # at a pace: each agent once, so that all series are known
  sleep 3
  say "$1 $(load "$seconds" | tail -n 1)"
  [[ $1 == none ]] || say "$1 $(ask /metrics | grep -E '^lm_collector_(object_store_requests_total|landing_objects_total|landing_pending_bytes)' | tr '\n' ' ')"
  kill_hard "$collector_pid"
  collector_pid='' other_pids=''
  [[ -z $relay_pid ]] || kill_hard "$relay_pid"
}

for ((round = 1; round <= ${LM_ROUNDS:-3}; round++)); do
  run none pass
  run well pass
  run slow slow=20000
  run away refuse
done
