# Sourced by the crash scripts: the load driver, the programs with their settings, and the accounts of what was sent, taken and held.
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
collector_pid='' load_pid='' agent_pid='' other_pids=''
# Where write_settings puts spool and queue, and the address that collector and relay listen on: set before it to change them.
spool_in=$work queue_in=$work address=127.0.0.1
say "seed $seed, $rounds rounds, in $work"

cleanup() { # [EXIT CODE of the script]
  local code=${1:-$?} pid
  for pid in $load_pid $agent_pid $collector_pid $other_pids; do
    # A group, where it was started as one: nothing is left behind.
    kill -KILL -- "-$pid" 2>/dev/null || kill -KILL "$pid" 2>/dev/null || true
  done
  wait 2>/dev/null || true
  if [[ $code -eq 0 || $code -eq 77 ]]; then
    [[ ! -s $work/kit-folder ]] || rm -rf "$(cat "$work/kit-folder")"
    rm -rf "$work"
  else
    say "kept for a look: $work $(cat "$work/kit-folder" 2>/dev/null); the same plan again with LM_CRASH_SEED=$seed"
  fi
}
trap cleanup EXIT

skip() {
  say "skipped: $*"
  exit 77
}

# find_kit TOOL…: the fault kit, in $kit.
find_kit() {
  local tool
  kit=${LM_SHARED:-$ROOT/../shared}/faults
  for tool in "$@"; do
    [[ -x $kit/$tool ]] || skip "there is no $kit/$tool; LM_SHARED names the folder that has the fault kit"
  done
  [[ $(id -u) -eq 0 ]] || skip "the fault kit mounts and makes namespaces, which takes root"
  need python3=python3 curl=curl
}

find_load_driver() {
  driver=${LM_LOAD:-$ROOT/bench/Lm.LoadDriver/bin/${LM_CONFIGURATION:-Debug}/net10.0/lm-load}
  [[ -x $driver ]] || step "Building the load driver" dotnet build "$ROOT/bench/Lm.LoadDriver/Lm.LoadDriver.csproj" -c "${LM_CONFIGURATION:-Debug}" -v minimal
}

write_settings() { # AGENT_ID [PORT that the agent sends to, when it is not the collector's]
  (
    umask 077
    mkdir -p "$work"/{cache,dashboards.d}
    make_certificates "$work/tls" "$1" "$address"
    make_secret "$work/secret"
    make_secret "$work/query-token"
    make_secret "$work/token"
    ingest_port=$(free_port) query_port=$(free_port)
    while [[ $query_port == "$ingest_port" ]]; do query_port=$(free_port); done
    printf '%s' "$ingest_port" >"$work/ingest-port"
    printf '%s' "$query_port" >"$work/query-port"
    {
      "$driver" tokens --agents 4 --secret-file "$work/secret" --prefix fault- --remote-write
      printf '[[tokens]]\nagent_id = "%s"\ntoken = "%s"\n' "$1" "$(cat "$work/token")"
    } >"$work/ingest-tokens.toml"
    cat >"$work/server.toml" <<T
[ingest]
listen = "$address:$ingest_port"
token_table_file = "$work/ingest-tokens.toml"
[ingest.tls]
cert_file = "$work/tls/server.pem"
key_file = "$work/tls/server.key"
[query]
listen = "127.0.0.1:$query_port"
token_file = "$work/query-token"
[storage]
spool_dir = "$spool_in/spool"
cache_dir = "$work/cache"
[dashboards]
definition_dirs = ["$work/dashboards.d"]
T
    cat >"$work/agent.toml" <<T
agent_id = "$1"
ingest_url = "https://$address:${2:-$ingest_port}"
auth_token_file = "$work/token"
tls_ca_cert_file = "$work/tls/ca.pem"
queue_dir = "$queue_in/queue"
interval_ms = 20

# What is counted is heartbeats and numbered lines.
[sources]
profile = "heartbeat"

[events]
lifecycle = false
processes = false
T
  )
  ingest_port=$(cat "$work/ingest-port") query_port=$(cat "$work/query-port")
}

# prepare_faults [PORT]: settings and command lines for runs in which the agent's requests pass the relay, which the collector is behind.
# The agent sends to PORT (what lies in front of the relay), or to the relay itself; what is left in its queue at the end goes the short way.
prepare_faults() {
  relay_port=$(free_port)
  find_load_driver
  write_settings crash-agent "${1:-$relay_port}"
  sed "s|^ingest_url = .*|ingest_url = \"https://$address:$relay_port\"|" "$work/agent.toml" >"$work/drain.toml"
  chmod 600 "$work/drain.toml"
  collector="$bin/lm-collector $work/server.toml"
  agent="bash -c run_agent"
  relay="$driver relay --listen $address:$relay_port --url https://$address:$ingest_port --ca $work/tls/ca.pem --cert $work/tls/server.pem --key $work/tls/server.key"
  crash_load="$driver crash --ca $work/tls/ca.pem --secret-file $work/secret --url https://$address"
  # For the kit, which runs these in shells of its own: no name of its own may be among them.
  export FAULT_SENT=$work/sent FAULT_ACKED=$work/acked FAULT_WORK=$work gaps_allowed=0
  export work bin driver address query_port relay_port relay queue_in
  export -f ask run_agent relay_and_drain drain_agent check_agent held_batches
  touch "$FAULT_SENT" "$FAULT_ACKED"
}

start_collector() {
  # shellcheck disable=SC2086 # a command and its arguments, or nothing
  ${collector_with:-} "$bin/lm-collector" "$work/server.toml" >>"$work/collector.log" 2>&1 &
  collector_pid=$!
}

# start_other COMMAND LINE: something that ends with the script, in a process group of its own.
start_other() {
  setsid bash -c "exec $1" >>"$work/other.log" 2>&1 &
  other_pids="$other_pids $!"
  disown
}

wait_ready() {
  for _ in $(seq 600); do
    curl -fsS -m 2 "http://127.0.0.1:$query_port/readyz" >/dev/null 2>&1 && return 0
    kill -0 "$collector_pid" 2>/dev/null || die "the collector ended: $(tail -n 5 "${collector_log:-$work/collector.log}")"
    sleep 0.05
  done
  die "the collector was not ready within 30 s: $(curl -sS -m 5 "http://127.0.0.1:$query_port/readyz" 2>&1) $(tail -n 5 "${collector_log:-$work/collector.log}")"
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

# account: compares $FAULT_SENT, $FAULT_ACKED and $work/held; the sentence is in $result.
account() {
  local acked held lost doubled invented
  sort "$work/held" >"$work/held.sorted"
  sort -u "$FAULT_SENT" >"$work/sent.sorted"
  sort -u "$FAULT_ACKED" >"$work/acked.sorted"
  acked=$(wc -l <"$work/acked.sorted") held=$(wc -l <"$work/held.sorted")
  lost=$(comm -23 "$work/acked.sorted" <(uniq "$work/held.sorted") | wc -l)
  doubled=$(uniq -d "$work/held.sorted" | wc -l)
  invented=$(comm -13 "$work/sent.sorted" <(uniq "$work/held.sorted") | wc -l)
  result="$acked acknowledged, $held held, $lost lost, $doubled doubled, $invented invented"
  [[ $acked -gt 0 && $lost -eq 0 && $doubled -eq 0 && $invented -eq 0 ]]
}

# check_held ACKNOWLEDGED WHEN: waits until queries of samples and lines hold what the list names, and wants all of it once, and nothing that nobody sent.
check_held() {
  local i code
  FAULT_ACKED=$1
  for i in $(seq 120); do
    code=0
    "$driver" dump --query "http://127.0.0.1:$query_port/" --token-file "$work/query-token" >"$work/held" 2>"$work/dump.log" || code=$?
    if account && [[ $code -eq 0 ]]; then
      FAULT_ACKED=$work/acked
      return 0
    fi
    sleep 0.25
  done
  die "$2: $result; $(cat "$work/dump.log") (seed $seed)"
}

run_agent() {
  printf '%s' "$BASHPID" >"$work/agent.pid"
  exec "$bin/lm-agent" --daemon "$work/agent.toml"
}

# drain_agent: ends the agent with SIGKILL, once more, and sends what its queue holds through the relay, which is started where it is gone.
# Whoever comes second waits for the first and has nothing to do.
drain_agent() (
  exec >>"$work/drain.log" 2>&1 9>"$work/drain.lock"
  flock 9
  [[ ! -e $work/drained ]] || exit 0
  code=1 pid='' until=$((SECONDS + 60))
  kill -KILL "$(cat "$work/agent.pid")"
  while [[ $SECONDS -lt $until ]]; do
    # Looked at each time: one that was told to stop listens for a moment yet.
    if [[ -z $pid ]] && ! (exec 3<>"/dev/tcp/$address/$relay_port"); then
      $relay 9>&- &
      pid=$!
    fi
    code=0
    # shellcheck disable=SC2046 # a command and its arguments, or nothing
    $(cat "$work/drain-with" 2>/dev/null) "$bin/lm-agent" --flush "$work/drain.toml" || code=$?
    # 1: the queue's last owner is not quite gone; 75: the relay is not quite there.
    [[ $code -eq 1 || $code -eq 75 ]] || break
    sleep 0.2
  done
  if [[ -n $pid ]]; then
    kill -TERM "$pid"
    wait "$pid"
  fi
  [[ $code -ne 0 ]] || touch "$work/drained"
  exit "$code"
)

# relay_and_drain [ARGUMENTS of lm-load relay]: for the kit's --load, where the agent is what it calls the server. On SIGTERM the agent's
# collecting ends too, and its queue is drained: the kit reads what was sent once the load has ended.
relay_and_drain() {
  local pid
  trap 'kill -TERM "$pid" 2>/dev/null' TERM
  $relay --queue-dir "$queue_in/queue" "$@" &
  pid=$!
  wait "$pid"
  wait "$pid"
  drain_agent
}

# check_agent: no number of the agent's queue stood for two batches, and the collector's account of the queue is whole. The sentence goes
# to $work/agent-verdict.
check_agent() {
  local reused malformed
  reused=$(cut -d' ' -f1,2 "$FAULT_SENT.batches" | sort -u | cut -d' ' -f1 | uniq -d | wc -l)
  malformed=$(grep -c '^malformed' "$FAULT_SENT.batches")
  ask /api/v1/agents >"$work/agents.json" || return 1
  python3 - "$work/agents.json" "$FAULT_SENT.batches" "$reused" "$malformed" "$gaps_allowed" >"$work/agent-verdict" <<'P'
import json, sys
agent = next((a for a in json.load(open(sys.argv[1]))["data"]["agents"] if a["agent_id"] == "crash-agent"), None)
seen = [line.split() for line in open(sys.argv[2])]
numbers = {where: len({line[0] for line in seen if line[3] == where}) for where in ("sent", "queued")}
reused, malformed, gaps_allowed = map(int, sys.argv[3:])
if agent is None:
    sys.exit("the collector knows no crash-agent")
queues = agent["queues"]
gaps, pending = sum(q["gaps"] for q in queues), sum(q["pending"] for q in queues)
forks = {code: n for code, n in (agent["refused"] or {}).items() if code.startswith("sequence_") and n}
print(f"agent: {numbers['queued']} batches vouched for by its queue, {numbers['sent']} sent, {agent['duplicates']} of them again, {reused} numbers used twice, "
      f"{malformed} malformed, {len(queues)} queue ids, {gaps} gaps, {pending} pending, {sum(forks.values())} forks, {(agent['queue'] or {}).get('dropped', 0)} given up by itself")
sys.exit(reused or malformed or forks or pending or len(queues) != 1 or not numbers["sent"] or (gaps and not gaps_allowed))
P
}

# held_batches: for the kit's --dump. What the collector holds of the load's batches and of the agent's, after the agent's queue was drained.
held_batches() {
  local code=0 of
  [[ $FAULT_WORK == "$work" ]] || printf '%s' "$FAULT_WORK" >"$work/kit-folder"
  if [[ -s $work/agent.pid ]]; then
    drain_agent || code=1
    check_agent 2>>"$work/dump.log" || code=1
  fi
  for of in '' --heartbeats --writes; do
    # shellcheck disable=SC2086 # no argument where there is none
    "$driver" dump --query "http://127.0.0.1:$query_port/" --token-file "$work/query-token" $of 2>>"$work/dump.log" || code=1
  done
  return "$code"
}

# judge: for runs that the kit does not judge: drains, dumps and compares. What came twice to the collector is counted in $again.
judge() { # NAME
  local code=0
  held_batches >"$work/held" || code=1
  account || code=1
  again=$(python3 -c "import json; print(sum(agent['duplicates'] for agent in json.load(open('$work/agents.json'))['data']['agents']))")
  say "$1: $result, $again came again"
  tell_verdict "$1" "$code"
}

# both_at_once [ARGUMENTS…]: runs the calling script for the collector and for the agent side by side; exit code 77 where one skipped and the other did not fail.
both_at_once() {
  local script=${BASH_SOURCE[1]} code=0 other=0 pid
  "$script" collector "$@" &
  pid=$!
  "$script" agent "$@" || other=$?
  wait "$pid" || code=$?
  [[ $code -ne 0 && $code -ne 77 ]] || code=$((other > 0 ? other : code))
  exit "$code"
}

# field NAME: of the kit's one line of JSON on standard input, as Python prints it.
field() { python3 -c "import json, sys; print(json.loads(sys.stdin.readlines()[-1])['$1'])"; }

# run_kit NAME TOOL [ARGUMENTS…]: runs a tool of the kit, whose line is in $work/kit-line then, and ends the script where it did not pass.
# Not every tool says so by its exit code.
run_kit() {
  local name=$1 tool=$2 code=0
  shift 2
  "$kit/$tool" "$@" >"$work/kit-line" || code=$?
  cat "$work/kit-line"
  [[ $(field ok <"$work/kit-line") == True ]] || code=1
  tell_verdict "$name" "$code"
}

# tell_verdict NAME CODE
tell_verdict() {
  [[ ! -s $work/agent-verdict ]] || say "$1: $(cat "$work/agent-verdict")"
  [[ $2 -eq 0 ]] || die "$1: failed; $(cat "$work/dump.log" 2>/dev/null)"
  say "$1: passed"
}
