#!/usr/bin/env bash
# The console's times with many hosts, in headless Chromium: console.sh [DIR-WITH-lm-collector]   (default out/)
#   LM_AGENTS (200), LM_SLACK (1): how much longer than the goals it may take
set -euo pipefail
LM_BIN=${1:-${LM_BIN:-}}
[[ -n $LM_BIN ]] || unset LM_BIN
source "$(dirname "${BASH_SOURCE[0]}")/../tests/crash/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/driver.sh"

agents=${LM_AGENTS:-200}
write_settings unused
"$driver" tokens --agents "$agents" --secret-file "$work/secret" >>"$work/ingest-tokens.toml"
start_collector
wait_ready
"$driver" run --url "https://127.0.0.1:$ingest_port" --ca "$work/tls/ca.pem" --secret-file "$work/secret" --agents "$agents" \
  --batches "$((agents * 60))" --pid "$collector_pid"

node "$ROOT/bench/console/perf.mjs" "http://127.0.0.1:$query_port/" "$work/query-token" --slack "${LM_SLACK:-1}"
