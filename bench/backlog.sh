#!/usr/bin/env bash
# What it takes to catch up after an outage: backlog.sh [DIR-WITH-lm-collector-and-lm-agent] [SECONDS]   (default out/, 60)
# lm-agent queues a heartbeat every 10 ms for so long while nobody answers, then goes on with one every 15 seconds beside a collector that does. Prints one line of JSON
# last: batches, bytes of the queue for each, how fast they left, how old the agent's newest value at the collector got meanwhile, CPU of both, and what 30 days of
# heartbeats every 15 seconds come to by that.
set -euo pipefail
LM_BIN=${1:-${LM_BIN:-}}
[[ -n $LM_BIN ]] || unset LM_BIN
seconds=${2:-60}
source "$(dirname "${BASH_SOURCE[0]}")/../tests/crash/lib.sh"

need python3=python3
find_load_driver # makes the token table
write_settings backlog-agent
sed -i 's/^interval_ms = .*/interval_ms = 10/' "$work/agent.toml"
run_agent >>"$work/agent.log" 2>&1 &
agent_pid=$!
sleep "$seconds"
kill -TERM "$agent_pid"
wait "$agent_pid" || true
queue_bytes=$(du -sb "$work/queue" | cut -f1)
batches=$(grep -o 'Stopped; [0-9]* batches' "$work/agent.log" | tail -n 1 | tr -dc 0-9)

sed -i 's/^interval_ms = .*/interval_ms = 15000/' "$work/agent.toml"
start_collector
wait_ready
run_agent >>"$work/agent.log" 2>&1 &
agent_pid=$!
python3 - "$work" "$query_port" "$agent_pid" "$collector_pid" "$batches" "$queue_bytes" <<'P'
import json, sys, time, urllib.request
work, port, agent, collector, batches, size = sys.argv[1], *map(int, sys.argv[2:])
token = open(f"{work}/query-token").read().strip()
def ask(path):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {token}"})
    return json.load(urllib.request.urlopen(request, timeout=60))
def cpu(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100
def waiting():
    found = [a for a in ask("/api/v1/agents")["data"]["agents"] if a["agent_id"] == "backlog-agent"]
    return (found[0]["queue"] or {}).get("batches") if found else None
def age():
    found = ask("/api/v1/query?query=time()-timestamp(lmagent_up)")["data"]["result"]
    return float(found[0]["value"][1]) if found else None
began, until, oldest, known = time.monotonic(), time.monotonic() + 1800, 0.0, False
while time.monotonic() < until:
    left, seen = waiting(), age()
    known |= seen is not None
    oldest = max(oldest, seen or 0) if known else 0.0
    if left is not None and left <= 64:  # as the last request said, which may have been the last one
        break
    time.sleep(0.1)
else:
    sys.exit(f"{left} batches wait after half an hour")
took, month = time.monotonic() - began, 30 * 24 * 60 * 4
print(json.dumps({
    "batches": batches, "bytes_per_batch": round(size / batches), "drain_s": round(took, 1), "batches_per_s": round(batches / took),
    "newest_value_age_max_s": round(oldest, 1), "agent_cpu_s": cpu(agent), "collector_cpu_s": cpu(collector),
    "month_mib": round(size / batches * month / 2**20), "month_drain_minutes": round(took / batches * month / 60, 1)}))
P
