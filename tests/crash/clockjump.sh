#!/usr/bin/env bash
# The wall clock of one program jumps, far and near, forwards and backwards, under load, while everybody else's is right. Nothing is lost,
# doubled or invented, the program answers throughout, and goes on once its clock is right again. (An agent that was answered clock_suspect
# comes back after the half minute that the collector asks for, in a short run when its queue is drained.)
#   clockjump.sh collector|agent [SCHEDULE of the fault kit's clockjump.sh]
# Without arguments (as scripts/test.sh runs it) both, side by side. Settings as for faultkit.sh.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[[ $# -gt 0 ]] || both_at_once
program=$1
find_kit clockjump.sh
need faketime=faketime
lib=$(compgen -G '/usr/lib/*/faketime/libfaketime.so.1' | head -n 1)
shifted() { printf 'env LD_PRELOAD=%s FAKETIME=%s' "$lib" "$1"; }
# Certificates that were valid days ago, or the agent would trust nobody once its clock is back there.
(
  export LD_PRELOAD=$lib FAKETIME=-10d
  make_certificates "$work/tls" crash-agent
)
prepare_faults
accepted() { ask /api/v1/agents | python3 -c "import json, sys; print(sum(agent['accepted'] for agent in json.load(sys.stdin)['data']['agents']))"; }
export -f accepted

start_other "bash -c relay_and_drain"
case $program in
  collector)
    # The last two steps are at the right time: between them it must take batches again.
    schedule=${2:-'0.5:-3d;1.7:+0;2.9:+400d;4.1:+0;5.3:+0'}
    start_other "$agent"
    start_other "$crash_load:$ingest_port"
    what=(--health "http://127.0.0.1:$query_port/healthz" -- "$bin/lm-collector" "$work/server.toml")
    ;;
  agent)
    schedule=${2:-'0.5:+3d;2:+0;3.2:-3d;5:+0;6.2:+0'}
    start_collector
    wait_ready
    what=(-- bash -c run_agent)
    ;;
  *) die "$program: collector or agent is allowed" ;;
esac
run_kit "the $program with its clock" clockjump.sh --schedule "$schedule" --probe accepted --tail-s 1 "${what[@]}"
# What was collected in the future is parked until then: the collector's last start is there, and so is the agent's.
[[ -z $collector_pid ]] || kill_hard "$collector_pid"
if [[ $program == agent ]]; then
  collector_with=$(shifted +4d)
  printf '%s' "$collector_with" >"$work/drain-with"
fi
start_collector
wait_ready
# The load ends before anything is counted; the kit has ended the agent, or drain_agent does.
for pid in $other_pids; do kill -TERM -- "-$pid" 2>/dev/null || true; done
judge "clock of the $program"
python3 - "$work/kit-line" <<'P' || die "it took no batches once its clock was right again"
import json, sys
steps = json.load(open(sys.argv[1]))["steps"]
sys.exit(not int(steps[-1]["probe"]) > int(steps[-2]["probe"]))
P
