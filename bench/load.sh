#!/usr/bin/env bash
# The collector under load, against a bare Kestrel endpoint by turns: load.sh [DIR-WITH-lm-collector]   (default out/)
# Prints one line of JSON last; exit code 1 when the collector is below 60 % of the bare endpoint's rate.
#   LM_AGENTS (16), LM_BATCHES a round (8000), LM_ROUNDS (4), LM_AT_LEAST (60, per cent), LM_SPOOL (a folder on the disk to measure)
set -euo pipefail
LM_BIN=${1:-${LM_BIN:-}}
[[ -n $LM_BIN ]] || unset LM_BIN
source "$(dirname "${BASH_SOURCE[0]}")/../tests/crash/lib.sh"

source "$(dirname "${BASH_SOURCE[0]}")/driver.sh" # as it ships, like the collector: the bare endpoint is compared like with like

agents=${LM_AGENTS:-16}
if [[ -n ${LM_SPOOL:-} ]]; then
  rm -rf "$LM_SPOOL/lm-load-spool" && mkdir -p "$LM_SPOOL/lm-load-spool" && ln -s "$LM_SPOOL/lm-load-spool" "$work/spool"
fi
write_settings unused
"$driver" tokens --agents "$agents" --secret-file "$work/secret" --prefix bench- >>"$work/ingest-tokens.toml"
start_collector
wait_ready
"$driver" compare --url "https://127.0.0.1:$ingest_port" --ca "$work/tls/ca.pem" --cert "$work/tls/server.pem" --key "$work/tls/server.key" \
  --secret-file "$work/secret" --bare-port "$(free_port)" --agents "$agents" --batches "${LM_BATCHES:-8000}" --rounds "${LM_ROUNDS:-4}" \
  --pid "$collector_pid" --at-least "${LM_AT_LEAST:-60}"
