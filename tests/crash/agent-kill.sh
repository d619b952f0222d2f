#!/usr/bin/env bash
# kill -9 of lm-agent (and now and then of the collector) at random instants: what its queue took is delivered once, and no sequence
# is ever used for two batches. Settings as for kill.sh.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

find_load_driver
write_settings crash-agent

start_agent() {
  "$bin/lm-agent" --daemon "$work/agent.toml" >>"$work/agent.log" 2>&1 &
  agent_pid=$!
}

start_collector
wait_ready
kills=0
for ((round = 1; round <= rounds; round++)); do
  start_agent
  nap
  if [[ $((RANDOM % 4)) -eq 0 ]]; then
    kill_hard "$collector_pid"
    nap
    start_collector
    wait_ready
    kills=$((kills + 1))
  fi
  kill -0 "$agent_pid" 2>/dev/null || die "the agent ended by itself: $(tail -n 5 "$work/agent.log")"
  kill_hard "$agent_pid"
  kills=$((kills + 1))
done
agent_pid=''
"$bin/lm-agent" --flush "$work/agent.toml" >>"$work/agent.log" 2>&1 || die "--flush left something: $(tail -n 5 "$work/agent.log")"
kill_hard "$collector_pid"
start_collector
wait_ready

# One queue for the whole life; sequences without a fork (409) and without a hole that still could be filled.
ask /api/v1/agents >"$work/agents.json"
ask '/api/v1/query?query=lmagent_up%5B1h%5D' >"$work/up.json"
number() { grep -o "\"$1\":[0-9]*" "$work/agents.json" | head -n 1 | tr -dc '0-9'; }
accepted=$(number accepted) highest=$(number highest_seq) pending=$(number pending)
held=$(grep -o '\[[0-9.]*,"1"\]' "$work/up.json" | wc -l)
twice=$(grep -o '\[[0-9.]*,"1"\]' "$work/up.json" | sort | uniq -d | wc -l)
queues=$(grep -o '"queue_id"' "$work/agents.json" | wc -l)
result="$kills kills: highest sequence $highest, $accepted accepted, $held heartbeats held, $twice doubled, $pending pending, $queues queue (seed $seed)"
grep -q 'sequence_fork\|sequence_overlap' "$work/agents.json" && die "a sequence was used twice: $result"
[[ $accepted -gt 0 && $held -eq $accepted && $twice -eq 0 && $pending -eq 0 && $queues -eq 1 ]] || die "$result"
say "$result"
