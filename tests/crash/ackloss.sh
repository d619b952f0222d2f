#!/usr/bin/env bash
# Batches that were stored and whose answers were lost, connections reset, cut and refused, by the fault kit's TCP relay: one in front of the
# collector for the load, one in front of the agent's way. Nothing acknowledged is lost, nothing is doubled or invented.
#   ackloss.sh [SECONDS] [SCHEDULE of tcpfault.py]
# Settings as for faultkit.sh.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

seconds=${1:-5}
at() { python3 -c "print($seconds * $1)"; }
find_kit tcpfault.py
schedule=${2:-"0:pass;$(at 0.1):ackloss;$(at 0.3):pass;$(at 0.35):ackloss=3000;$(at 0.55):reset=20;$(at 0.7):cut=2000;$(at 0.8):refuse;$(at 0.9):pass"}
load_port=$(free_port) agent_port=$(free_port)
prepare_faults "$agent_port"
start_collector
wait_ready
start_other "bash -c relay_and_drain"
"$kit/tcpfault.py" --listen "$load_port" --to "$address:$ingest_port" --seconds "$seconds" --schedule "$schedule" >"$work/load-faults" &
faults=$!
"$kit/tcpfault.py" --listen "$agent_port" --to "$address:$relay_port" --seconds "$seconds" --schedule "$schedule" >"$work/agent-faults" &
faults="$faults $!"
other_pids="$other_pids $faults"
start_other "$agent"
bash -c "exec $crash_load:$load_port" >>"$work/load.log" 2>&1 &
load_pid=$!
# shellcheck disable=SC2086 # two of them
wait $faults
kill -TERM "$load_pid"
wait "$load_pid" || die "the load ended with $?: $(tail -n 3 "$work/load.log")"
load_pid=''
cat "$work/load-faults" "$work/agent-faults"
judge "lost answers"
[[ $again -gt 0 ]] || die "no batch came twice, so nothing was tried"
