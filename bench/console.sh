#!/usr/bin/env bash
# The console's goals in headless Chromium, each with its limit and ok or SHORT: console.sh [DIR-WITH-lm-collector] [PART…]   (default out/, and all parts)
#   parts: load (G4, G5), frames (G6), live (G7: hosts that send each 15 s), lines (G8: a million lines), tail (G9: 2,000 lines a second), soak (G10)
#   LM_AGENTS (200; 1000 for live), LM_BATCHES (60, of each), LM_SLACK (1): how much longer than the goals it may take, LM_TRIES (1): how often a time that
#   is missed is measured, LM_ROUNDS (5): loads of a page, LM_LINES (1000000), LM_LIVE_SECONDS (30), LM_TAIL_SECONDS (60), LM_SOAK_MINUTES (30, of the page's clock; 480 take ten)
#   LM_SHORT=1: the gate of .ci/run, in two minutes: half as much again of the times, measured up to five times where they are missed
# G1 to G3 are `npm run size`'s, G11 and G13 those of tests/Lm.Console.Tests.
set -euo pipefail
LM_BIN=${1:-${LM_BIN:-}}
[[ -n $LM_BIN ]] || unset LM_BIN
[[ $# -eq 0 ]] || shift
source "$(dirname "${BASH_SOURCE[0]}")/../tests/crash/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/driver.sh"

need node=nodejs /usr/bin/chromium=chromium

parts=("$@")
[[ ${#parts[@]} -gt 0 ]] || parts=(load frames live lines tail soak)
if [[ -n ${LM_SHORT:-} ]]; then
  : "${LM_SLACK=1.5}" "${LM_TRIES=5}" "${LM_ROUNDS=3}" "${LM_AGENTS=1000}" "${LM_BATCHES=30}" "${LM_LIVE_SECONDS=15}" "${LM_TAIL_SECONDS=15}"
fi
write_settings unused
{
  "$driver" tokens --agents 1000 --secret-file "$work/secret"
  "$driver" tokens --agents 4 --secret-file "$work/secret" --prefix lines-
  "$driver" tokens --agents 4 --secret-file "$work/secret" --prefix tail-
  "$driver" tokens --agents 1 --secret-file "$work/secret" --prefix soak-
} >>"$work/ingest-tokens.toml"
start_collector
wait_ready
to=(--url "https://127.0.0.1:$ingest_port" --ca "$work/tls/ca.pem" --secret-file "$work/secret")

send() { # HOSTS: until the end
  "$driver" pace "${to[@]}" --agents "$1" --every-ms 15000 --seconds 3600 >"$work/sent" &
  load_pid=$!
}
still() {
  [[ -z $load_pid ]] || { kill -TERM "$load_pid" && wait "$load_pid" || true; }
  load_pid=''
}
has() { local each; for each in "${parts[@]}"; do [[ $each != "$1" ]] || return 0; done; return 1; }
measure() { # PARTS
  node "$ROOT/bench/console/perf.mjs" "http://127.0.0.1:$query_port/" "$work/query-token" --slack "${LM_SLACK:-1}" --only "$1" --driver "$driver pace ${to[*]}" \
    --tries "${LM_TRIES:-1}" --rounds "${LM_ROUNDS:-5}" --lines "$lines" --live-seconds "${LM_LIVE_SECONDS:-30}" --tail-seconds "${LM_TAIL_SECONDS:-60}" \
    --soak-minutes "$soak_minutes" || code=1
}

code=0 lines=${LM_LINES:-1000000} soak_minutes=${LM_SOAK_MINUTES:-30}
if has load || has frames; then
  agents=${LM_AGENTS:-200}
  "$driver" run "${to[@]}" --agents "$agents" --batches "$((agents * ${LM_BATCHES:-60}))" --pid "$collector_pid" >"$work/run"
  measure load,frames
fi
if has lines; then
  "$driver" run "${to[@]}" --agents 4 --prefix lines- --batches "$((lines / 1000 + 4))" --log-lines 1000 --seconds 120 --pid "$collector_pid" >"$work/run"
  measure lines
fi
if has tail; then measure tail; fi
if has live; then
  send "${LM_AGENTS:-1000}"
  if has load && [[ ${agents:-0} -ge ${LM_AGENTS:-1000} ]]; then sleep 3; else sleep 17; fi # each of them once, where they are not there yet
  measure live
  still
fi
if has soak; then
  "$driver" run "${to[@]}" --agents 1 --prefix soak- --batches "$(((soak_minutes + 70) * 4))" --pid "$collector_pid" >"$work/run"
  measure soak
fi
exit "$code"
