#!/usr/bin/env bash
# The disk under the spool or the queue is full for a while, under load. The program lives, says so, and goes on by itself once there is room;
# nothing that was acknowledged, sent or durably queued is lost, nothing is doubled or invented.
#   diskfull.sh collector|agent [arguments of the fault kit's diskfull.sh, such as --restart --fs ext4 --full-s 20]
# Without arguments (as scripts/test.sh runs it) both, side by side. Settings as for faultkit.sh.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[[ $# -gt 0 ]] || both_at_once
program=$1
shift
find_kit diskfull.sh
mkdir "$work/state"
mount -t tmpfs tmpfs "$work/state" 2>/dev/null || skip "nothing can be mounted here"
umount "$work/state"
case $program in
  collector)
    spool_in=$work/state
    prepare_faults
    what=(--server "$collector" --load "$crash_load:$ingest_port" --health "http://127.0.0.1:$query_port/healthz"
      --probe "curl -sS -m 5 -w ' %{http_code}' http://127.0.0.1:$query_port/readyz")
    ;;
  agent)
    queue_in=$work/state
    prepare_faults
    # Numbers of batches that found no room are never used again.
    gaps_allowed=1
    start_collector
    wait_ready
    what=(--server "$agent" --load "bash -c relay_and_drain")
    ;;
  *) die "$program: collector or agent is allowed" ;;
esac
run_kit "full disk under the $program" diskfull.sh --state "$work/state" --size-mb 64 --warm-s 2 --full-s 5 --after-s 3 "${what[@]}" --dump held_batches "$@"
log=$(cat "$work/kit-folder")/server.log
[[ $(field alive_when_full <"$work/kit-line") == True && $(field had_to_be_restarted <"$work/kit-line") == False ]] || die "it ended when the disk was full"
if [[ $program == collector ]]; then
  [[ $(field probe <"$work/kit-line") == *"'full': '0 "*" 503'"*"'after': '0 "*" 200'"* ]] || die "/readyz did not tell when the disk was full, or when it was not"
else
  grep -q 'cannot take batches' "$log" && grep -q 'takes batches again' "$log" || die "the agent's log does not say when its queue was full, or when it was not"
fi
