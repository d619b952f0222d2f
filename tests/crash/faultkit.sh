#!/usr/bin/env bash
# Runs the fault kit's crash loop (kill, power, term, mix …) on the published collector with the load driver:
#   faultkit.sh KIT-FOLDER MODE [ROUNDS] [further arguments of crashloop.py, such as --fs xfs --garbage both]
# Without arguments (as scripts/test.sh runs it) it does ten rounds of kill with torn tails where LM_SHARED has the kit.
set -euo pipefail
kit=${1:-${LM_SHARED:+$LM_SHARED/faults}}
mode=${2:-kill}
LM_CRASH_ROUNDS=${3:-${LM_CRASH_ROUNDS:-10}}
[[ $# -le 3 ]] && set -- || shift 3
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
if [[ -z $kit || ! -x $kit/crashloop.py ]]; then
  say "skipped: there is no fault kit at '${kit:-\$LM_SHARED/faults}'"
  exit 77
fi
[[ $# -gt 0 ]] || set -- --garbage both
need python3=python3
find_load_driver
write_settings unused
# The kit gives each run a state folder of its own, which a power cut empties of what was not synced.
sed -i "s|^spool_dir = .*|spool_dir = \"STATE/spool\"|" "$work/server.toml"
server="bash -c 'sed \"s|STATE|\$FAULT_STATE|\" $work/server.toml >$work/run.toml && chmod 600 $work/run.toml && exec $bin/lm-collector $work/run.toml'"
"$kit/crashloop.py" --mode "$mode" --rounds "$rounds" --seed "$seed" --garbage-glob '**/*.seg' "$@" \
  --health "http://127.0.0.1:$query_port/readyz" --server "$server" \
  --load "$load crash --url https://127.0.0.1:$ingest_port --ca $work/tls/ca.pem --secret-file $work/secret" \
  --dump "$load dump --query http://127.0.0.1:$query_port/ --token-file $work/query-token"
