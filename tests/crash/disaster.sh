#!/usr/bin/env bash
# The collector's disk is lost, again and again, at random instants under load, with the object store left: every batch that landed answers, once, batches that come
# again are recognised, and none is taken while the store cannot be asked: disaster.sh
#   LM_BIN=DIR        the programs (default out/)
#   LM_CRASH_ROUNDS   how many disks (default 5)
#   LM_CRASH_SEED     the same plan again
#   LM_INGEST_SECONDS so long the last disk is filled before it is lost, at a pace of its own (default: a second, as fast as it can)
set -euo pipefail
LM_CRASH_ROUNDS=${LM_CRASH_ROUNDS:-5}
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need python3=python3
find_load_driver
write_settings unused
sed -i "s|^token_table_file|object_landing_interval_ms = 1000\n&|" "$work/server.toml"
cat >>"$work/server.toml" <<T
[object_store]
kind = "directory"
directory = "$work/objects"
prefix = "disaster"
T
export FAULT_SENT=$work/sent FAULT_ACKED=$work/acked
touch "$FAULT_SENT" "$FAULT_ACKED" "$work/lost"

# What the manifests in the store name: each batch once, whichever life landed it.
landed_batches() {
  python3 -c '
import pathlib, sys
sys.path.insert(0, sys.argv[1])
import raw_objects
for path in sorted(pathlib.Path(sys.argv[2]).glob("*/*/*.lmf")):
    print(*raw_objects.read(path)[2], sep="\n")' "$(dirname "${BASH_SOURCE[0]}")" "$work/bucket/disaster/raw" | sed '/^$/d' | sort
}

landing() { # FIELD
  ask /api/v1/landing | python3 -c "import json,sys; print(json.load(sys.stdin)['data'].get('$1'))"
}

# The store is a link, so that it goes and comes in one step.
store_is() { # FOLDER
  ln -s "$1" "$work/link"
  mv -T "$work/link" "$work/objects"
}

start_load() {
  "$driver" crash --url "https://127.0.0.1:$ingest_port" --ca "$work/tls/ca.pem" --secret-file "$work/secret" "$@" >>"$work/load.log" 2>&1 &
  load_pid=$!
}

stop_load() {
  kill -TERM "$load_pid"
  wait "$load_pid" || die "the load saw an acknowledged batch taken again: $(tail -n 5 "$work/load.log") (seed $seed)"
  load_pid=''
}

wait_landed() {
  local i
  for i in $(seq 200); do
    [[ $(landing pending_bytes) != 0 || $(landing state) != ok ]] || return 0
    sleep 0.1
  done
  die "what is left does not land: $(landing reason)"
}

lose_disk() {
  kill_hard "$collector_pid"
  rm -rf "$work/spool" "$work/cache"
  mkdir "$work/cache"
}

mkdir "$work/bucket"
store_is "$work/bucket"
start_collector
wait_ready
kills=0 outages=0
start_load
for ((round = 1; round <= rounds; round++)); do
  sleep 1 # until it listens to signals
  nap
  stop_load
  wait_landed
  lose_disk
  if [[ $((RANDOM % 2)) -eq 0 ]]; then
    # Nothing may be taken before the store has said what it holds.
    store_is /proc
    outages=$((outages + 1))
    start_collector
    for ((i = 0; i < 600; i++)); do
      answer=$(curl -sS -m 2 "http://127.0.0.1:$query_port/readyz" 2>/dev/null || true)
      [[ $answer != *recovering* ]] || break
      sleep 0.05
    done
    [[ $answer == *recovering* ]] || die "without the store /readyz says: $answer"
    if [[ $((RANDOM % 2)) -eq 0 ]]; then
      kill_hard "$collector_pid"
      start_collector
    fi
    store_is "$work/bucket"
  else
    start_collector
  fi
  if [[ $((RANDOM % 2)) -eq 0 ]]; then
    # While it takes over what landed.
    sleep "$(printf '0.%03d' $((300 + RANDOM % 600)))"
    kill_hard "$collector_pid"
    kills=$((kills + 1))
    start_collector
  fi
  wait_ready
  # All of it is sent again: it must be known, also before it is answered.
  start_load --forget
done
sleep 1
nap
stop_load
check_held "$work/acked" "after $rounds disks"
all=$(sort -u "$work/acked" | wc -l)

# A disk that is lost under load: what had landed answers.
if [[ -n ${LM_INGEST_SECONDS:-} ]]; then start_load --pause-ms 10; else start_load; fi
sleep "${LM_INGEST_SECONDS:-1.3}"
kill_hard "$load_pid"
load_pid=''
lose_disk
landed_batches >"$work/landed"
[[ -z $(uniq -d "$work/landed") ]] || die "batches landed twice: $(uniq -d "$work/landed" | head -n 3) (seed $seed)"
began=$(date +%s%N)
start_collector
wait_ready
ready=$((($(date +%s%N) - began) / 1000000))
check_held "$work/landed" "under load"
back=$((($(date +%s%N) - began) / 1000000))
unlanded=$(comm -23 <(sort -u "$work/acked") <(sort -u "$work/landed") | wc -l)
say "$rounds disks lost with all landed, $outages times without the store, $kills kills meanwhile: $all batches acknowledged, 0 lost, 0 doubled; one lost after ${LM_INGEST_SECONDS:-1.3} s of load: $(wc -l <"$work/landed") batches landed and answered once, ready after $ready ms, all back after $back ms, $unlanded acknowledged last were not there yet (seed $seed)"
