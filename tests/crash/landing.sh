#!/usr/bin/env bash
# kill -9 of the collector at random instants while it lands, merges and seals, and the object store away now and then (an S3 server also slow, cutting connections, or not answering): every acknowledged
# batch is in the store, answered once by queries, once in raw objects, and once in blocks when these are made of them (with Debian's packages prometheus and faketime): landing.sh [directory | light | real]
#   LM_BIN=DIR        the programs (default out/)
#   LM_CRASH_ROUNDS   how often (default 15)
#   LM_CRASH_SEED     the same plan again
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/stores/lib.sh"

need python3=python3
with_blocks=0
if command -v promtool >/dev/null && lib=$(compgen -G '/usr/lib/*/faketime/libfaketime.so.1' | head -n 1); then with_blocks=1; fi
find_load_driver
write_settings unused
sed -i "s|^token_table_file|object_landing_interval_ms = 1000\n&|" "$work/server.toml"
open_store "${1:-directory}"
store_settings crash >>"$work/server.toml"
export FAULT_SENT=$work/sent FAULT_ACKED=$work/acked
touch "$FAULT_SENT" "$FAULT_ACKED"

landing() { # FIELD
  curl -fsS -m 5 -H "Authorization: Bearer $(cat "$work/query-token")" "http://127.0.0.1:$query_port/api/v1/landing" | python3 -c "import json,sys; print(json.load(sys.stdin)['data'].get('$1'))"
}

# Blocks of two hours from five days, that lie there at the start: they land, are merged, and land merged.
seeded=0
if [[ $with_blocks -eq 1 ]]; then
  seeded=$(python3 - "$work/seed.txt" <<'P'
import sys, time
end = int(time.time()) // 7200 * 7200 - 7200
times = range(end - 5 * 86400, end, 60)
with open(sys.argv[1], "w") as file:
    file.write("# TYPE seeded_value gauge\n")
    for at in times:
        file.write(f'seeded_value{{host="a"}} {at % 977} {at}\nseeded_value{{host="b"}} {at % 991} {at}\n')
    file.write("# EOF\n")
print(2 * len(times))
P
  )
  (umask 077 && mkdir -p "$work/spool/blocks")
  promtool tsdb create-blocks-from openmetrics -q "$work/seed.txt" "$work/spool/blocks"
fi

start_collector
wait_ready
"$driver" crash --url "https://127.0.0.1:$ingest_port" --ca "$work/tls/ca.pem" --secret-file "$work/secret" >>"$work/load.log" 2>&1 &
load_pid=$!
# A spool without a record knows nothing of the store yet, and is not ready while that is away.
until [[ -s $work/acked ]]; do sleep 0.1; done
kills=0 outages=0
for ((round = 1; round <= rounds; round++)); do
  if [[ $((RANDOM % 3)) -eq 0 ]]; then
    store_is "$(store_fault)"
    outages=$((outages + 1))
    nap
    # Killed while it is away, or soon after.
    if [[ $((RANDOM % 2)) -eq 0 ]]; then
      kill_hard "$collector_pid"
      kills=$((kills + 1))
      start_collector
      wait_ready
    fi
    store_is well
  fi
  nap
  kill_hard "$collector_pid"
  kills=$((kills + 1))
  start_collector
  wait_ready
  kill -0 "$load_pid" 2>/dev/null || die "the load ended by itself: $(tail -n 5 "$work/load.log")"
done
if [[ $with_blocks -eq 1 ]]; then
  # Blocks are merged five seconds after a start, and land merged a second later.
  for ((round = 0; round < rounds; round += 7)); do
    sleep "$(printf '%d.%03d' $((5 + RANDOM % 3)) $((RANDOM % 1000)))"
    kill_hard "$collector_pid"
    kills=$((kills + 1))
    start_collector
    wait_ready
  done
fi
kill -TERM "$load_pid"
wait "$load_pid" || die "the load saw an acknowledged batch taken again: $(tail -n 5 "$work/load.log")"
load_pid=''

# One look at a time: the collector writes records of its own too, so what has landed at one look may have a successor at the next.
code=1
for _ in $(seq 200); do
  if [[ $(landing pending_bytes) == 0 && $(landing state) == ok ]]; then
    code=0
    fetch_store crash/raw "$work/fetched"
    landed=$(python3 "$(dirname "${BASH_SOURCE[0]}")/raw_objects.py" "$work/fetched" "$work/acked" "$work/sent") || code=$?
    break
  fi
  sleep 0.3
done
[[ $code -eq 0 ]] || die "$kills kills, $outages outages: ${landed:-what is left does not land: $(landing reason)} (seed $seed)"
check_held "$work/acked" "after $kills kills"
say "$kills kills, $outages outages: $landed; by queries $result (seed $seed)"
[[ $with_blocks -eq 1 ]] || skip "what is in blocks was not looked at: that takes promtool and faketime (Debian's packages prometheus and faketime)"

# Six hours later all of it is due as blocks. Killed while these are written and land, then left alone until all is there.
collector_with="env LD_PRELOAD=$lib FAKETIME=+6h"
for ((round = 0; round < 3; round++)); do
  kill_hard "$collector_pid"
  kills=$((kills + 1))
  start_collector
  wait_ready
  sleep "$(printf '%d.%03d' $((4 + RANDOM % 5)) $((RANDOM % 1000)))"
done
code=1 quiet=0
for _ in $(seq 120); do
  # Blocks are looked after each five seconds: what is all there for so long stays so.
  if [[ $(landing blocks_waiting) == 0 && $(landing state) == ok ]]; then quiet=$((quiet + 1)); else quiet=0; fi
  if [[ $quiet -ge 14 ]]; then
    code=0
    fetch_store crash/blocks "$work/fetched"
    found=$(python3 "$(dirname "${BASH_SOURCE[0]}")/bucket_blocks.py" "$work/fetched" "$seeded" "$work/acked" "$work/sent") || code=$?
    [[ $code -ne 0 ]] || break
    quiet=0
  fi
  sleep 0.5
done
[[ $code -eq 0 ]] || die "$kills kills: ${found:-blocks do not land: $(landing reason)} (seed $seed)"
check_held "$work/acked" "six hours later"
say "$kills kills: $found; by queries $result (seed $seed)"
