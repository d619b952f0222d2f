#!/usr/bin/env bash
# The ingest rate with clients of the live stream, against the rate without, by turns: live.sh [DIR-WITH-lm-collector]   (default out/)
# Prints one line of JSON last; exit code 1 when clients cost more than a tenth of the rate. The clients run at the lowest priority: they stand for other machines.
#   LM_CLIENTS (1000), LM_LIVE (/api/v1/live?events=batch), LM_AGENTS (16), LM_BATCHES a round (40000), LM_ROUNDS (4)
set -euo pipefail
LM_BIN=${1:-${LM_BIN:-}}
[[ -n $LM_BIN ]] || unset LM_BIN
source "$(dirname "${BASH_SOURCE[0]}")/../tests/crash/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/driver.sh"

agents=${LM_AGENTS:-16}
write_settings unused
rounds=${LM_ROUNDS:-4}
for ((run = 0; run <= 2 * rounds; run++)); do # agents of their own for each run: each sends the hours up to now
  "$driver" tokens --agents "$agents" --secret-file "$work/secret" --prefix "bench-$run-" >>"$work/ingest-tokens.toml"
done
start_collector
wait_ready

rate() { # RUN: batches a second
  "$driver" run --url "https://127.0.0.1:$ingest_port" --ca "$work/tls/ca.pem" --secret-file "$work/secret" --agents "$agents" \
    --batches "${LM_BATCHES:-40000}" --prefix "bench-$1-" --pid "$collector_pid" | tee -a "$work/runs" | python3 -c 'import json,sys;print(json.load(sys.stdin)["batches_per_s"])'
}

rate 0 >/dev/null # warm
for ((round = 1; round <= rounds; round++)); do
  without=$(rate $((2 * round - 1)))
  nice -n 19 "$driver" listen --query "http://127.0.0.1:$query_port/" --token-file "$work/query-token" --clients "${LM_CLIENTS:-1000}" \
    --path "${LM_LIVE:-/api/v1/live?events=batch}" >"$work/heard" 2>"$work/listening" &
  load_pid=$!
  until grep -q 'listen$' "$work/listening"; do kill -0 "$load_pid" && sleep 0.1; done
  with=$(rate $((2 * round)))
  kill -TERM "$load_pid" && wait "$load_pid"
  load_pid=''
  printf '%s %s\n' "$without" "$with" >>"$work/rates"
  say "round $round: $without batches/s without, $with with; the clients heard $(cat "$work/heard")"
done
python3 - "$work/rates" <<'P'
import json, statistics, sys
rows = [tuple(map(float, line.split())) for line in open(sys.argv[1])]
ratio = statistics.median(with_ / without for without, with_ in rows)
print(json.dumps({"without": statistics.median(r[0] for r in rows), "with": statistics.median(r[1] for r in rows), "ratio": round(ratio, 3)}))
sys.exit(ratio < 0.9)
P
