#!/usr/bin/env bash
# The agent beside node_exporter and other agents, in one run: agents.sh [DIR-WITH-lm-agent-and-lm-collector [OPTIONS of bench_agents.py]]   (default out/)
# lm-agent sends a batch every second over TLS to a real collector, with node_exporter's default set of sources ("lm-agent") and with all of its own ("lm-agent-all");
# then 5,000 rounds and 5,000 more, 50 a second, after each of which its memory is taken. Needs the folder `bench` of $LM_SHARED (default ../shared), and the peers,
# which its setup.sh installs. Prints two JSON objects; progress goes to standard error. LM_ROUNDS=N: another number of rounds; 0 leaves that part out.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"
bin=$(realpath -m "${1:-${LM_BIN:-$ROOT/out}}")
(($# == 0)) || shift
bench=$(realpath -m "${LM_SHARED:-$ROOT/../shared}")/bench
rounds=${LM_ROUNDS:-5000}
[[ -x $bin/lm-agent && -x $bin/lm-collector ]] || die "$bin has no lm-agent and lm-collector: build them with scripts/publish.sh $bin"
[[ -f $bench/bench_agents.py ]] || { say "error: $bench has no bench_agents.py: set LM_SHARED" >&2; exit 77; }
need python3=python3 >&2

work=$(mktemp -d "${TMPDIR:-/tmp}/lm-bench-agents.XXXXXX")
chmod 700 "$work"
collector_pid='' agent_pid=''
cleanup() {
  local pid
  for pid in $agent_pid $collector_pid; do kill -KILL "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

ingest_port=$(free_port) query_port=$(free_port)
umask 077
mkdir -p "$work"/{spool,cache,dashboards.d}
make_certificates "$work/tls" bench >&2
for name in query-token token-host token-all token-rounds; do make_secret "$work/$name"; done
for name in host all rounds; do printf '[[tokens]]\nagent_id = "bench-%s"\ntoken = "%s"\n' "$name" "$(cat "$work/token-$name")"; done >"$work/ingest-tokens.toml"
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

# agent_config NAME INTERVAL_MS: node_exporter's set, unless the name is all; events are no part of it.
agent_config() {
  cat <<T
agent_id = "bench-$1"
ingest_url = "https://127.0.0.1:$ingest_port"
auth_token_file = "$work/token-$1"
tls_ca_cert_file = "$work/tls/ca.pem"
queue_dir = "$work/queue-$1"
interval_ms = $2
T
  if [[ $1 != all ]]; then
    printf '[events]\nlifecycle = false\nprocesses = false\n[sources]\n'
    printf '%s = { enabled = false }\n' processes containers cpu_info
  fi
}
agent_config host 1000 >"$work/host.toml"
agent_config all 1000 >"$work/all.toml"
agent_config rounds 20 >"$work/rounds.toml"

"$bin/lm-collector" "$work/server.toml" >"$work/collector.log" 2>&1 &
collector_pid=$!
for _ in $(seq 150); do
  ! curl -fsS -m 1 "http://127.0.0.1:$query_port/readyz" >/dev/null 2>&1 || break
  kill -0 "$collector_pid" 2>/dev/null || die "the collector ended: $(tail -n 1 "$work/collector.log")"
  sleep 0.1
done

printf '{"name": "lm-agent", "argv": ["%s", "--daemon", "%s"]}\n' "$bin/lm-agent" "$work/host.toml" >"$work/host.json"
printf '{"name": "lm-agent-all", "argv": ["%s", "--daemon", "%s"]}\n' "$bin/lm-agent" "$work/all.toml" >"$work/all.json"
"$bin/lm-agent" "$work/host.toml" 2>/dev/null | sed -n 2p >&2
"$bin/lm-agent" "$work/all.toml" 2>/dev/null | sed -n 2p >&2
(cd "$bench" && python3 ./bench_agents.py --agent-spec "$work/host.json" --agent-spec "$work/all.json" "$@")

((rounds > 0)) || exit 0
figures() { # what /proc says of the agent: resident and anonymous KiB, CPU ticks
  awk '/^VmRSS/ { r = $2 } /^RssAnon/ { a = $2 } END { printf "%s %s ", r, a }' "/proc/$agent_pid/status"
  awk '{ print $14 + $15 }' "/proc/$agent_pid/stat"
}
"$bin/lm-agent" --daemon "$work/rounds.toml" >"$work/rounds.log" 2>&1 &
agent_pid=$!
sleep $((rounds / 50))
read -r resident1 anonymous1 ticks1 < <(figures)
sleep $((rounds / 50))
read -r resident2 anonymous2 ticks2 < <(figures)
python3 - "$rounds" "$resident1" "$anonymous1" "$resident2" "$anonymous2" $((ticks2 - ticks1)) "$(getconf CLK_TCK)" "$(stat -c %s "$bin/lm-agent")" <<'P'
import json, sys
rounds, r1, a1, r2, a2, ticks, hertz, size = map(int, sys.argv[1:])
mib = lambda kib: round(kib / 1024, 2)
print(json.dumps({"lm-agent": {"rounds": rounds, "resident_mib": mib(r1), "anonymous_mib": mib(a1), "resident_mib_after_as_many_more": mib(r2),
      "anonymous_mib_after_as_many_more": mib(a2), "cpu_ms_per_round_at_50_hz": round(ticks * 1000 / hertz / rounds, 2), "binary_bytes": size}}))
P
