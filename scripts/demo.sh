#!/usr/bin/env bash
# Lightmetrics on this machine, over real TLS on loopback: builds, makes throw-away certificates and tokens, runs both programs.
#   scripts/demo.sh            runs until Ctrl-C
#   scripts/demo.sh up         starts in the background
#   scripts/demo.sh status     says what runs; exit code 0 when both do
#   scripts/demo.sh down       stops both; data, certificates and tokens stay
# LM_DEMO_DIR (default /tmp/lightmetrics-demo) keeps everything; LM_DEMO_INGEST_PORT (18443) and LM_DEMO_QUERY_PORT (18080) move the
# listeners, 0 picks a free port; LM_BIN names a folder with binaries of scripts/publish.sh to run.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

dir=${LM_DEMO_DIR:-/tmp/lightmetrics-demo}
agent_id=demo-agent
[[ $dir == /* ]] || die "LM_DEMO_DIR must be an absolute path, not $dir"

prepare_directory() {
  # Under /tmp anyone may have made it first: secrets go only into a folder that is ours alone.
  [[ -e $dir || -L $dir ]] || (umask 077 && mkdir -p "$dir")
  [[ -d $dir && ! -L $dir && -O $dir ]] || die "$dir is not a folder of yours; move it away or set LM_DEMO_DIR"
  chmod go-rwx "$dir"
  mkdir -p "$dir"/{spool,cache,queue,dashboards.d,log}
  local secret
  for secret in "$dir"/{query-token,token,ingest-tokens.toml} "$dir"/tls/*.key; do
    [[ ! -e $secret ]] || chmod go-rwx "$secret"
  done
}

port_of() { # FILE WANTED: the port of an earlier start where a free one was asked for
  if [[ $2 -ne 0 ]]; then printf '%s' "$2"
  elif [[ -s $1 ]]; then cat "$1"
  else free_port
  fi
}

write_settings() {
  umask 077
  make_certificates "$dir/tls" "$agent_id"
  make_secret "$dir/query-token"
  make_secret "$dir/token"
  ingest_port=$(port_of "$dir/ingest-port" "${LM_DEMO_INGEST_PORT:-18443}")
  query_port=$(port_of "$dir/query-port" "${LM_DEMO_QUERY_PORT:-18080}")
  printf '%s' "$ingest_port" >"$dir/ingest-port"
  printf '%s' "$query_port" >"$dir/query-port"
  cat >"$dir/ingest-tokens.toml" <<T
[[tokens]]
agent_id = "$agent_id"
token = "$(cat "$dir/token")"
T
  cat >"$dir/server.toml" <<T
[ingest]
listen = "127.0.0.1:$ingest_port"
token_table_file = "$dir/ingest-tokens.toml"

[ingest.tls]
cert_file = "$dir/tls/server.pem"
key_file = "$dir/tls/server.key"
client_auth = "required"
client_ca_file = "$dir/tls/ca.pem"

[query]
listen = "127.0.0.1:$query_port"
token_file = "$dir/query-token"

[storage]
collector_id = "demo"
spool_dir = "$dir/spool"
cache_dir = "$dir/cache"

[object_store]
kind = "directory"
directory = "$dir/objects"
prefix = "demo"

[dashboards]
definition_dirs = ["$dir/dashboards.d"]
T
  cat >"$dir/agent.toml" <<T
agent_id = "$agent_id"
ingest_url = "https://127.0.0.1:$ingest_port"
auth_token_file = "$dir/token"
tls_ca_cert_file = "$dir/tls/ca.pem"
tls_client_cert_file = "$dir/tls/agent.pem"
tls_client_key_file = "$dir/tls/agent.key"
queue_dir = "$dir/queue"
interval_ms = 5000

[labels]
site = "demo"

[[log_inputs]]
name = "demo"
path = "$dir/log/*.log"
start_at = "beginning"
T
}

# Release binaries where they are newer than every source file; else a plain build, which takes a quarter of the time.
find_programs() {
  if [[ -n ${LM_BIN:-} ]]; then
    collector=$LM_BIN/lm-collector agent=$LM_BIN/lm-agent
    [[ -x $collector && -x $agent ]] || die "LM_BIN=$LM_BIN has no lm-collector and lm-agent"
    return
  fi
  collector=$ROOT/out/lm-collector agent=$ROOT/out/lm-agent
  if [[ -x $collector && -x $agent ]] \
    && [[ -z $(find "$ROOT/src" -type f -newer "$agent" -not -path '*/bin/*' -not -path '*/obj/*' -print -quit) ]]; then
    say "Using the release binaries in $ROOT/out"
    return
  fi
  need_dotnet
  local project
  for project in Lm.Agent Lm.Collector; do
    step "Building $project" dotnet build "$ROOT/src/$project/$project.csproj" -c Release -v minimal
  done
  collector=$ROOT/src/Lm.Collector/bin/Release/net10.0/lm-collector
  agent=$ROOT/src/Lm.Agent/bin/Release/net10.0/lm-agent
}

start() { # NAME COMMAND…: in a session of its own, so that Ctrl-C and a terminal that goes reach this script alone; SIGHUP reloads, which nohup would prevent
  local name=$1
  shift
  setsid "$@" >>"$dir/log/$name.log" 2>&1 </dev/null &
  printf '%s' "$!" >"$dir/$name.pid"
}

ask() { # PATH [CURL ARGUMENT…]: the token goes in by a file, so that no process list shows it
  local path=$1
  shift
  curl -fsS -m 5 -H @<(printf 'Authorization: Bearer %s\n' "$(cat "$dir/query-token")") "$@" "http://127.0.0.1:$query_port$path"
}

wait_for() { # WHAT SECONDS COMMAND…
  local what=$1 seconds=$2 program
  shift 2
  printf 'Waiting for %s … ' "$what"
  for _ in $(seq $((seconds * 5))); do
    if "$@" >/dev/null 2>&1; then
      printf 'there\n'
      return 0
    fi
    for program in collector agent; do
      if [[ -e $dir/$program.pid ]] && ! alive "$dir/$program.pid" "$dir"; then
        printf '\n'
        tail -n 20 "$dir/log/$program.log" >&2
        die "lm-$program ended; its log is $dir/log/$program.log"
      fi
    done
    sleep 0.2
  done
  printf '\n'
  tail -n 20 "$dir"/log/*.log >&2
  die "no $what within $seconds s; the logs are in $dir/log"
}

has_load() { ask /api/v1/query --get --data-urlencode "query=node_load1{instance=\"$agent_id\"}" | grep -q '"value":'; }

has_lines() { ask /api/v1/logs --get --data-urlencode "query={instance=\"$agent_id\", input=\"demo\"}" | grep -q '"line":'; }

up() {
  if alive "$dir/collector.pid" "$dir" && alive "$dir/agent.pid" "$dir"; then
    ingest_port=$(cat "$dir/ingest-port") query_port=$(cat "$dir/query-port")
    say "Already running."
    announce
    return
  fi
  need_runtime
  prepare_directory
  down
  find_programs
  write_settings
  local faults
  faults=$("$collector" --check-config "$dir/server.toml" 2>&1) || die "lm-collector refused the settings it was given: $faults"
  start collector "$collector" "$dir/server.toml"
  wait_for "the collector" 60 curl -fsS -m 5 "http://127.0.0.1:$query_port/readyz"
  start agent "$agent" --daemon "$dir/agent.toml"
  wait_for "the first batch" 60 has_load
  wait_for "the first log line" 60 has_lines
  announce
}

announce() {
  cat <<T

  Console   http://127.0.0.1:$query_port/
  Token     $(cat "$dir/query-token")
            (throw-away; it stands in $dir/query-token)
  Ask       curl -H "Authorization: Bearer \$(cat $dir/query-token)" "http://127.0.0.1:$query_port/api/v1/query?query=node_load1"
  Lines     curl -H "Authorization: Bearer \$(cat $dir/query-token)" --get --data-urlencode 'query={input="demo"} |= "agent"' "http://127.0.0.1:$query_port/api/v1/logs"
  Logs      $dir/log/, which the agent follows
  Landed    $dir/objects/, the object store of the demo

T
}

down() { # the agent first, so that its last batch is taken
  stop_process "$dir/agent.pid" "$dir" 15
  stop_process "$dir/collector.pid" "$dir" 30
}

status() {
  local code=0 program
  for program in collector agent; do
    if alive "$dir/$program.pid" "$dir"; then
      say "lm-$program runs, pid $(cat "$dir/$program.pid")"
    else
      say "lm-$program does not run"
      code=1
    fi
  done
  if [[ $code -eq 0 ]]; then
    query_port=$(cat "$dir/query-port")
    curl -fsS -m 5 "http://127.0.0.1:$query_port/readyz" >/dev/null 2>&1 || { say "the collector is not ready"; code=1; }
  fi
  return "$code"
}

case ${1:-} in
  up) up ;;
  down) down && say "Stopped." ;;
  status) status ;;
  -h | --help) sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" ;;
  '')
    trap 'trap "" INT TERM; say ""; say "Stopping …"; down; say "Stopped."; exit 0' INT TERM
    trap 'down' EXIT
    up
    say "Ctrl-C stops both."
    while alive "$dir/collector.pid" "$dir" && alive "$dir/agent.pid" "$dir"; do sleep 1; done
    tail -n 5 "$dir"/log/*.log >&2
    die "a program ended by itself; its log is in $dir/log"
    ;;
  *) die "unknown sub-command $1; there are: up, down, status, or none" ;;
esac
