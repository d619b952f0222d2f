#!/usr/bin/env bash
# Two collectors with acceptance = "s3_manifest" on one bucket, behind one address that loses answers: killed, paused, with emptied disks, with the store away, slow and cutting. At the end every
# acknowledged batch and line answers at both, and at a third one that begins on an empty disk; the bucket's blocks and log files have it once, for promtool and zstd; and --verify has nothing to say.
#   shared.sh [directory | light | real]    the store; by default both S3 servers side by side (Ceph's gateway where it is installed)
#   LM_BIN=DIR           the programs (default out/)
#   LM_CRASH_ROUNDS      how often something happens (default 3: one of each)
#   LM_CRASH_SEED        the same plan again
#   LM_INGEST_SECONDS    a disaster run in place of all that: so long a load, then both disks are lost at once
set -euo pipefail
LM_CRASH_ROUNDS=${LM_CRASH_ROUNDS:-3}
if [[ $# -eq 0 ]]; then
  code=0 other=0
  "$0" light &
  pid=$!
  if command -v radosgw >/dev/null; then "$0" real || other=$?; fi
  wait "$pid" || code=$?
  [[ $code -ne 0 && $code -ne 77 ]] || code=$((other > 0 ? other : code))
  exit "$code"
fi
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/stores/lib.sh"

here=$ROOT/tests/crash
need python3=python3 zstd=zstd
command -v promtool >/dev/null || skip "promtool (Debian's package prometheus) is not installed"
find_load_driver
write_settings unused
open_store "$1"
export FAULT_SENT=$work/sent FAULT_ACKED=$work/acked
touch "$FAULT_SENT" "$FAULT_ACKED"
usual_query_port=$query_port # whoever is asked has its own
declare -A pids=() queries=() ingests=()

# new_member NAME: settings of a collector with an empty disk of its own.
new_member() {
  local folder=$work/$1
  (umask 077 && mkdir -p "$folder/spool" "$folder/cache")
  ingests[$1]=$(free_port) queries[$1]=$(free_port)
  {
    sed -e "s|:$ingest_port\"|:${ingests[$1]}\"|; s|:$usual_query_port\"|:${queries[$1]}\"|; s|\"$work/spool\"|\"$folder/spool\"|; s|\"$work/cache\"|\"$folder/cache\"|" \
      -e "s|^token_table_file|acceptance = \"s3_manifest\"\n&|; s|^\[storage\]|&\ncollector_id = \"$1\"|" "$work/server.toml"
    store_settings shared
    printf 'manifest_linger_ms = 50\nblocks_every_seconds = %d\n' "${blocks_every:-1}"
  } >"$folder/server.toml"
  chmod 600 "$folder/server.toml"
}

start() { # NAME
  "$bin/lm-collector" "$work/$1/server.toml" >>"$work/$1/log" 2>&1 &
  pids[$1]=$!
  other_pids="$other_pids $!"
}

empty_disk() { # NAME
  rm -rf "$work/$1/spool" "$work/$1/cache"
  (umask 077 && mkdir "$work/$1/spool" "$work/$1/cache")
}

at() { # NAME COMMAND…: with that collector as the one that is asked
  query_port=${queries[$1]} collector_pid=${pids[$1]} collector_log=$work/$1/log
  shift
  "$@"
  collector_pid=''
}

shared_log() { # FIELD
  ask /api/v1/landing | python3 -c "import json,sys; print(json.load(sys.stdin)['data']['shared_log']['$1'])"
}

# published: waits until all that is committed now is in blocks and log files.
published() {
  local i last
  sleep 1.2 # what was acknowledged by now is in the state then
  last=$(shared_log last)
  for ((i = 0; i < 300; i++)); do
    [[ $(shared_log published) -lt $last ]] || return 0
    sleep 0.2
  done
  die "commit $last does not come into blocks and log files: $(ask /api/v1/landing) $(tail -n 5 "$work"/*/log) (seed $seed)"
}

# vouched: waits until a snapshot says so, too: from there on a collector on an empty disk leaves the records to blocks and log files.
vouched() {
  local i last
  last=$(shared_log published)
  for ((i = 0; i < 100; i++)); do
    fetch_store shared/shared/snapshots "$work/snapshots"
    ! python3 -c '
import json, pathlib, sys
says = [json.loads(path.read_text().splitlines()[0])["published"] for path in pathlib.Path(sys.argv[1]).iterdir()]
sys.exit(max(says, default=0) < int(sys.argv[2]))' "$work/snapshots" "$last" || return 0
    sleep 0.2
  done
  die "no snapshot says that commit $last is in blocks and log files (seed $seed)"
}

# merged: starts both again, since whoever builds looks what is to be merged then, and waits until it is.
merged() {
  local i name
  for name in a b; do
    kill -TERM "${pids[$name]}"
    wait "${pids[$name]}" || die "$name did not end well: $(tail -n 5 "$work/$name/log") (seed $seed)"
    start "$name"
    at "$name" wait_ready
  done
  for ((i = 0; i < 300; i++)); do
    ! grep -qs "blocks in the object store are merged" "$work"/[ab]/log || return 0
    sleep 0.2
  done
  die "$old samples of two days that are over stay in blocks of their own: $(tail -n 5 "$work"/[ab]/log) (seed $seed)"
}

# holds NAME [ARGUMENTS of lm-load dump]: waits until the collector shows all once.
holds() {
  local i code name=$1
  shift
  for ((i = 0; i < 120; i++)); do
    code=0
    "$driver" dump --query "http://127.0.0.1:$query_port/" --token-file "$work/query-token" "$@" >"$work/held" 2>"$work/dump.log" || code=$?
    if account && [[ $code -eq 0 ]]; then return 0; fi
    sleep 0.25
  done
  die "$name: $result; $(head -n 5 "$work/dump.log"; tail -n 2 "$work/dump.log") (seed $seed)"
}

stop_all() {
  local name
  for name in "${!pids[@]}"; do
    kill -TERM "${pids[$name]}"
    wait "${pids[$name]}" || die "$name did not end well: $(tail -n 5 "$work/$name/log") (seed $seed)"
  done
  pids=() other_pids=$balancer_pid
}

# verified: what foreign readers find in the bucket, and what --verify says of it. All collectors have ended.
verified() {
  local found
  fetch_store shared "$work/fetched"
  found=$(python3 "$here/bucket_blocks.py" "$work/fetched/blocks" "$old" "$work/acked" "$work/sent") || die "$found (seed $seed)"
  say "$store_kind: $found"
  found=$(python3 "$here/bucket_lines.py" "$work/fetched/logs" "$work/acked" "$work/sent" 2) || die "$found (seed $seed)"
  say "$store_kind: $found"
  "$bin/lm-collector" --verify "$work/a/server.toml" >"$work/verify.log" 2>&1 || die "--verify: $(tail -n 20 "$work/verify.log") (seed $seed)"
}

start_load() {
  "$driver" crash --url "https://127.0.0.1:$balancer_port" --ca "$work/tls/ca.pem" --secret-file "$work/secret" "$@" >>"$work/load.log" 2>&1 &
  load_pid=$!
}

stop_load() {
  kill -TERM "$load_pid"
  wait "$load_pid" || die "the load saw an acknowledged batch taken again, or refused: $(tail -n 5 "$work/load.log") (seed $seed)"
  load_pid=''
}

new_member a
new_member b
start a
start b
at a wait_ready
at b wait_ready
balancer_port=$(free_port)
start_other "python3 '$here/balance.py' $balancer_port 50 ${ingests[a]} ${ingests[b]}"
balancer_pid=${other_pids##* }
sleep 0.3
# Samples of days that are over, in sets of their own each: they become one block.
old=0
for ((i = 0; i < 4; i++)); do
  old=$((old + $(python3 "$here/old_samples.py" "https://127.0.0.1:${ingests[a]}/api/v1/write" "$work/tls/ca.pem" "$work/ingest-tokens.toml" "$i" 4)))
  at a published
done
start_load --forget

if [[ -n ${LM_INGEST_SECONDS:-} ]]; then
  sleep "$LM_INGEST_SECONDS"
  kill_hard "$load_pid"
  load_pid=''
  for name in a b; do
    kill_hard "${pids[$name]}"
    empty_disk "$name"
  done
  bytes=$(fetch_store shared "$work/fetched" && du -sm "$work/fetched" | cut -f1)
  began=$(date +%s%N)
  start a
  start b
  at a wait_ready
  ready=$((($(date +%s%N) - began) / 1000000))
  at a holds a --uncounted
  back=$((($(date +%s%N) - began) / 1000000))
  at b holds b --uncounted
  say "$store_kind: $LM_INGEST_SECONDS s of load, then both disks lost: ready after $ready ms, all back after $back ms, $bytes MiB in the bucket: $result"
  at a published
  stop_all
  verified
  exit 0
fi

kills=0 disks=0 pauses=0 faults=0
for ((round = 1; round <= rounds; round++)); do
  nap
  [[ $((RANDOM % 2)) -eq 0 ]] && name=a || name=b
  # The first three rounds have one of each.
  what=$((round <= 3 ? round + 1 : 1 + RANDOM % 4))
  case $what in
    1 | 4)
      kill_hard "${pids[$name]}"
      kills=$((kills + 1))
      nap
      start "$name"
      ;;
    2)
      store_is "$(store_fault)"
      faults=$((faults + 1))
      nap
      store_is well
      ;;
    3)
      kill -STOP "${pids[$name]}"
      pauses=$((pauses + 1))
      nap
      nap
      kill -CONT "${pids[$name]}"
      ;;
  esac
  if [[ $what -eq 4 ]]; then
    # While it starts, and with nothing left of its disk.
    sleep "$(printf '0.%03d' $((RANDOM % 900)))"
    kill_hard "${pids[$name]}"
    empty_disk "$name"
    disks=$((disks + 1))
    start "$name"
  fi
  [[ $what -eq 3 ]] || at "$name" wait_ready
  kill -0 "$load_pid" 2>/dev/null || die "the load ended by itself: $(tail -n 5 "$work/load.log")"
done
nap
stop_load
at a published
at a vouched
merged
[[ $disks -gt 0 ]] && counts=--uncounted || counts=
at a holds a $counts
at b holds b $counts
new_member c
start c
at c wait_ready
at c holds c --uncounted
[[ $(at c shared_log missing) != '[]' ]] || die "c read every record back, though blocks and log files have most of them"
stop_all
verified
say "$store_kind: $kills kills, $disks disks lost, $pauses pauses, $faults times with a store that fails, and a third collector on an empty disk: $result (seed $seed)"
