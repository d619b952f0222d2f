# Sourced by the crash scripts: the load driver, one collector with its settings, and the accounts of what was sent, taken and held.
# shellcheck shell=bash
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

bin=${LM_BIN:-$ROOT/out}
[[ -x $bin/lm-collector && -x $bin/lm-agent ]] || die "$bin has no lm-collector and lm-agent: run scripts/publish.sh, or name their folder with LM_BIN"
bin=$(cd "$bin" && pwd)
rounds=${LM_CRASH_ROUNDS:-15}
seed=${LM_CRASH_SEED:-$RANDOM}
RANDOM=$seed
work=$(mktemp -d "${TMPDIR:-/tmp}/lm-crash.XXXXXX")
chmod 700 "$work"
collector_pid='' load_pid='' agent_pid=''
say "seed $seed, $rounds rounds, in $work"

cleanup() {
  local code=$? pid
  for pid in $load_pid $agent_pid $collector_pid; do
    kill -KILL "$pid" 2>/dev/null || true
  done
  wait 2>/dev/null || true
  if [[ $code -eq 0 ]]; then rm -rf "$work"; else say "kept for a look: $work; the same plan again with LM_CRASH_SEED=$seed"; fi
}
trap cleanup EXIT

find_load_driver() {
  load=${LM_LOAD:-$ROOT/bench/Lm.LoadDriver/bin/${LM_CONFIGURATION:-Debug}/net10.0/lm-load}
  [[ -x $load ]] || step "Building the load driver" dotnet build "$ROOT/bench/Lm.LoadDriver/Lm.LoadDriver.csproj" -c "${LM_CONFIGURATION:-Debug}" -v minimal
}

write_settings() { # AGENT_ID
  (
    umask 077
    mkdir -p "$work"/{spool,cache,dashboards.d}
    make_certificates "$work/tls" "$1"
    make_secret "$work/secret"
    make_secret "$work/query-token"
    make_secret "$work/token"
    ingest_port=$(free_port) query_port=$(free_port)
    printf '%s' "$ingest_port" >"$work/ingest-port"
    printf '%s' "$query_port" >"$work/query-port"
    {
      "$load" tokens --agents 4 --secret-file "$work/secret" --prefix fault-
      printf '[[tokens]]\nagent_id = "%s"\ntoken = "%s"\n' "$1" "$(cat "$work/token")"
    } >"$work/ingest-tokens.toml"
    cat >"$work/server.toml" <<T
[ingest]
listen = "127.0.0.1:$ingest_port"
token_table_file = "$work/ingest-tokens.toml"
[ingest.tls]
cert_file = "$work/tls/server.pem"
key_file = "$work/tls/server.key"
[query]
listen = "127.0.0.1:$query_port"
token_file = "$work/query-token"
[storage]
spool_dir = "$work/spool"
cache_dir = "$work/cache"
[dashboards]
definition_dirs = ["$work/dashboards.d"]
T
    cat >"$work/agent.toml" <<T
agent_id = "$1"
ingest_url = "https://127.0.0.1:$ingest_port"
auth_token_file = "$work/token"
tls_ca_cert_file = "$work/tls/ca.pem"
queue_dir = "$work/queue"
interval_ms = 20
T
  )
  ingest_port=$(cat "$work/ingest-port") query_port=$(cat "$work/query-port")
}

start_collector() {
  "$bin/lm-collector" "$work/server.toml" >>"$work/collector.log" 2>&1 &
  collector_pid=$!
}

wait_ready() {
  for _ in $(seq 600); do
    curl -fsS -m 2 "http://127.0.0.1:$query_port/readyz" >/dev/null 2>&1 && return 0
    kill -0 "$collector_pid" 2>/dev/null || die "the collector ended: $(tail -n 5 "$work/collector.log")"
    sleep 0.05
  done
  die "the collector was not ready within 30 s: $(tail -n 5 "$work/collector.log")"
}

# kill_hard PID: and waits, so that its ports and its lock are free.
kill_hard() {
  kill -KILL "$1"
  wait "$1" 2>/dev/null || true
}

# A random instant from 20 ms to about 1 s.
nap() { sleep "$(printf '0.%03d' $((20 + RANDOM % 980)))"; }

ask() { # PATH
  curl -fsS -m 60 -H @<(printf 'Authorization: Bearer %s\n' "$(cat "$work/query-token")") "http://127.0.0.1:$query_port$1"
}
