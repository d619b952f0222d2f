#!/usr/bin/env bash
# kill -9 of the collector, and of the load, at random instants: every acknowledged batch is held, none twice, none invented: kill.sh [batches|writes]
#   writes            requests of remote write in place of batches
#   LM_BIN=DIR        the programs (default out/)
#   LM_CRASH_ROUNDS   how often (default 15)
#   LM_CRASH_SEED     the same plan again
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case ${1:-batches} in
  batches) load=crash of=() ;;
  writes) load=crash-writes of=(--writes) ;;
  *) die "$1: batches or writes is allowed" ;;
esac
find_load_driver
write_settings unused
export FAULT_SENT=$work/sent FAULT_ACKED=$work/acked
touch "$FAULT_SENT" "$FAULT_ACKED"

start_load() {
  "$driver" "$load" --url "https://127.0.0.1:$ingest_port" --ca "$work/tls/ca.pem" --secret-file "$work/secret" "$@" >>"$work/load.log" 2>&1 &
  load_pid=$!
}

start_collector
wait_ready
start_load
kills=0
for ((round = 1; round <= rounds; round++)); do
  nap
  kill_hard "$collector_pid"
  kills=$((kills + 1))
  if [[ $((RANDOM % 5)) -eq 0 ]]; then
    # And again while it starts and replays.
    start_collector
    sleep "$(printf '0.%03d' $((RANDOM % 400)))"
    kill_hard "$collector_pid"
    kills=$((kills + 1))
  fi
  if [[ $((RANDOM % 4)) -eq 0 ]]; then
    kill_hard "$load_pid"
    # Half of them forget what was acknowledged and send it again: it must be known, not taken twice.
    if [[ $load == crash && $((RANDOM % 2)) -eq 0 ]]; then start_load --forget; else start_load; fi
  fi
  start_collector
  wait_ready
  kill -0 "$load_pid" 2>/dev/null || die "the load ended by itself: $(tail -n 5 "$work/load.log")"
done
nap
kill -TERM "$load_pid"
wait "$load_pid" || die "the load saw an acknowledged batch taken again: $(tail -n 5 "$work/load.log")"
load_pid=''

# A last kill, so that what is asked for comes from the disk alone.
kill_hard "$collector_pid"
start_collector
wait_ready
code=0
"$driver" dump --query "http://127.0.0.1:$query_port/" --token-file "$work/query-token" "${of[@]}" >"$work/held" 2>"$work/dump.log" || code=$?
[[ $code -eq 0 ]] || { cat "$work/dump.log"; die "what the collector holds and what it counted as accepted differ"; }
account || die "$kills kills: $result (seed $seed)"
say "$kills kills: $result (seed $seed)"
