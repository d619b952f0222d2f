#!/usr/bin/env bash
# kill -9 of the collector at random instants while it lands, and the object store away now and then: every acknowledged batch is in the store, once: landing.sh
#   LM_BIN=DIR        the programs (default out/)
#   LM_CRASH_ROUNDS   how often (default 15)
#   LM_CRASH_SEED     the same plan again
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need python3=python3
find_load_driver
write_settings unused
sed -i "s|^token_table_file|object_landing_interval_ms = 1000\n&|" "$work/server.toml"
cat >>"$work/server.toml" <<T
[object_store]
kind = "directory"
directory = "$work/objects"
prefix = "crash"
T
export FAULT_SENT=$work/sent FAULT_ACKED=$work/acked
touch "$FAULT_SENT" "$FAULT_ACKED"

landing() { # FIELD
  curl -fsS -m 5 -H "Authorization: Bearer $(cat "$work/query-token")" "http://127.0.0.1:$query_port/api/v1/landing" | python3 -c "import json,sys; print(json.load(sys.stdin)['data'].get('$1'))"
}

# The store is a link, so that it goes and comes in one step: without it every request fails, whoever asks.
store_is() { # FOLDER
  ln -s "$1" "$work/link"
  mv -T "$work/link" "$work/objects"
}

mkdir "$work/bucket"
store_is "$work/bucket"
start_collector
wait_ready
"$driver" crash --url "https://127.0.0.1:$ingest_port" --ca "$work/tls/ca.pem" --secret-file "$work/secret" >>"$work/load.log" 2>&1 &
load_pid=$!
kills=0 outages=0
for ((round = 1; round <= rounds; round++)); do
  if [[ $((RANDOM % 3)) -eq 0 ]]; then
    store_is /proc # a folder in which nothing can be made
    outages=$((outages + 1))
    nap
    # Killed while it is away, or soon after.
    if [[ $((RANDOM % 2)) -eq 0 ]]; then
      kill_hard "$collector_pid"
      kills=$((kills + 1))
      start_collector
      wait_ready
    fi
    store_is "$work/bucket"
  fi
  nap
  kill_hard "$collector_pid"
  kills=$((kills + 1))
  start_collector
  wait_ready
  kill -0 "$load_pid" 2>/dev/null || die "the load ended by itself: $(tail -n 5 "$work/load.log")"
done
kill -TERM "$load_pid"
wait "$load_pid" || die "the load saw an acknowledged batch taken again: $(tail -n 5 "$work/load.log")"
load_pid=''

# One look at a time: the collector writes records of its own too, so what has landed at one look may have a successor at the next.
code=1
for _ in $(seq 60); do
  if [[ $(landing pending_bytes) == 0 && $(landing state) == ok ]]; then
    code=0
    landed=$(python3 "$(dirname "${BASH_SOURCE[0]}")/raw_objects.py" "$work/bucket/crash/raw" "$work/acked" "$work/sent") || code=$?
    break
  fi
  sleep 0.3
done
[[ $code -eq 0 ]] || die "$kills kills, $outages outages: ${landed:-what is left does not land: $(landing reason)} (seed $seed)"
say "$kills kills, $outages outages: $landed (seed $seed)"
