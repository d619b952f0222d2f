#!/usr/bin/env bash
# Numbered lines, 20,000 a second, through every way of rotating log files, while lm-agent is killed at random instants (and now and then the
# collector): every line arrives once, and in order for each file. Settings as for kill.sh; the long run: LM_CRASH_ROUNDS=100 tests/crash/tail.sh
# What the writer waits for before it destroys lines (truncation, deletion, compression) stands in bench/Lm.LoadDriver/RotatingLog.cs.
#   LM_LINES_PER_SECOND (20000), LM_LOSE (5): per cent of requests and answers that are lost on the way
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

find_load_driver
relay_port=$(free_port)
write_settings tail-agent "$relay_port"
logs=$work/logs arrived=$work/arrived
mkdir -p "$logs/glob"
touch "$arrived"
sed -i 's/^interval_ms = .*/interval_ms = 1000/' "$work/agent.toml"
{
  for name in rename compress copytruncate truncate recreate link; do
    printf '[[log_inputs]]\nname = "%s"\npath = "%s/%s.log"\nstart_at = "beginning"\n' "$name" "$logs" "$name"
  done
  printf '[[log_inputs]]\nname = "glob"\npath = "%s/glob/*.log"\nstart_at = "beginning"\n' "$logs"
} >>"$work/agent.toml"

start_agent() {
  "$bin/lm-agent" --daemon "$work/agent.toml" >>"$work/agent.log" 2>&1 &
  agent_pid=$!
}

start_collector
wait_ready
start_other "$driver relay --listen $address:$relay_port --url https://$address:$ingest_port --ca $work/tls/ca.pem --cert $work/tls/server.pem --key $work/tls/server.key --lines $arrived --lose ${LM_LOSE:-5}"
"$driver" lines --folder "$logs" --arrived "$arrived" --rate "${LM_LINES_PER_SECOND:-20000}" >>"$work/other.log" 2>&1 &
load_pid=$!
kills=0
for ((round = 1; round <= rounds; round++)); do
  # Now and then the files change for a while without anybody looking.
  [[ $((RANDOM % 3)) -ne 0 ]] || nap
  rm -f "$logs/down"
  start_agent
  nap
  if [[ $((RANDOM % 8)) -eq 0 ]]; then
    kill_hard "$collector_pid"
    start_collector
    wait_ready
  fi
  kill -0 "$agent_pid" 2>/dev/null || die "the agent ended by itself: $(tail -n 5 "$work/agent.log")"
  kill -0 "$load_pid" 2>/dev/null || die "the writer ended by itself: $(tail -n 5 "$work/other.log")"
  kill_hard "$agent_pid"
  touch "$logs/down"
  kills=$((kills + 1))
done

kill -TERM "$load_pid"
wait "$load_pid"
load_pid=''
say "$(grep ' lines written; ' "$work/other.log")"
start_agent
code=3
for _ in $(seq 120); do
  code=0
  result=$("$driver" account --folder "$logs" --arrived "$arrived") || code=$?
  [[ $code -eq 3 ]] || break
  sleep 1
done
kill_hard "$agent_pid"
agent_pid=''
result=$(tail -n 1 <<<"$result")" ($kills kills, seed $seed)"
[[ $code -eq 0 ]] || die "$result
$("$driver" account --folder "$logs" --arrived "$arrived")"
[[ $(cut -f1 "$arrived" | sort -u | wc -l) -eq 1 ]] || die "more than one queue id: $result"

# What the account would not see it could not vouch for.
doctored() { # NAME: standard input is what arrived
  local code=0
  cat >"$work/doctored"
  "$driver" account --folder "$logs" --arrived "$work/doctored" >>"$work/other.log" || code=$?
  [[ $code -ne 0 ]] || die "the account did not notice a line that was $1"
}
half=$(($(wc -l <"$arrived") / 2))
sed "${half}d" "$arrived" | doctored lost
sed "${half}p" "$arrived" | doctored doubled
awk -F '\t' -v OFS='\t' -v at="$half" 'NR == at { sub(/ [0-9]+ /, " 999999999 ", $6) } { print }' "$arrived" | doctored invented
# Two neighbours of one batch change places.
awk -F '\t' -v OFS='\t' '$4 == "rename" && !done { if (seq == $2) { first = $3 - 1; $3 = first; print; split(held, f, "\t"); print f[1], f[2], first + 1, f[4], f[5], f[6]; done = 1; next } if (held != "") print held; seq = $2; held = $0; next } { print }' "$arrived" | doctored swapped
say "$result"
