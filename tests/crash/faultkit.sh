#!/usr/bin/env bash
# Runs the fault kit's crash loop on one of the published programs under load:
#   faultkit.sh collector|writes|agent [MODE] [ROUNDS] [further arguments of crashloop.py, such as --fs xfs --garbage both]
# MODE is kill (the default), power, term, stop or mix. Of the collector, the load is lm-load's, with `writes` its remote write. Of the agent, it is the agent's own batches
# every 20 ms; the collector behind it stays up, and a tenth of the requests and answers between them is lost, so that its queue is never empty.
# Without arguments (as scripts/test.sh runs it) it does ten rounds of kill of the collector and three power cuts of the agent, with torn tails.
#   LM_BIN=DIR         the programs (default out/)
#   LM_SHARED=DIR      has the fault kit (default ../shared)
#   LM_CRASH_SEED      the same plan again
set -euo pipefail
if [[ $# -eq 0 ]]; then
  "${BASH_SOURCE[0]}" collector kill "${LM_CRASH_ROUNDS:-10}"
  exec "${BASH_SOURCE[0]}" agent power "${LM_CRASH_ROUNDS:-3}" --max-ms 1000
fi
program=$1 mode=${2:-kill}
LM_CRASH_ROUNDS=${3:-${LM_CRASH_ROUNDS:-10}}
if [[ $# -gt 3 ]]; then shift 3; else shift $#; fi
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

find_kit crashloop.py
need mkfs.ext4=e2fsprogs
[[ $mode != power ]] || losetup --find >/dev/null 2>&1 || skip "there is no free loop device for a power cut"
[[ " $* " != *" xfs "* ]] || need mkfs.xfs=xfsprogs
[[ " $* " == *" --garbage "* ]] || set -- --garbage both "$@"
# The kit mounts a file system there, which a power cut empties of what was not synced.
state=$work/state
case $program in
  collector | writes)
    spool_in=$state
    prepare_faults
    [[ $program != writes ]] || crash_load=${crash_load/ crash / crash-writes }
    what=(--health "http://127.0.0.1:$query_port/readyz" --server "$collector" --load "$crash_load:$ingest_port")
    ;;
  agent)
    queue_in=$state
    prepare_faults
    start_collector
    wait_ready
    what=(--server "$agent" --load "bash -c 'relay_and_drain --lose 10'" --drain-s 2 --settle-s 0)
    ;;
  *) die "$program: collector, writes or agent is allowed" ;;
esac
run_kit "$program, $mode" crashloop.py --mode "$mode" --rounds "$rounds" --seed "$seed" --state "$state" --garbage-glob '**/*.seg' \
  "${what[@]}" --dump held_batches "$@"
