#!/usr/bin/env bash
# How long the collector takes to be ready after kill -9 with a GiB of spool, and whether it then has all it acknowledged: restart.sh [DIR-WITH-lm-collector]   (default out/)
# Alert records keep the segments of the spool, as they do for local_retention_days. The kill comes when most of what a restart replays, 64 MiB at most, is there.
# Prints one line of JSON last; exit code 1 when a sample is missing or it took longer than LM_READY_MAX (2) seconds.
#   LM_SPOOL_MIB (1024), LM_RESTARTS (3: kills, without further load), LM_COLD (1: the files leave the page cache before each start)
set -euo pipefail
LM_BIN=${1:-${LM_BIN:-}}
[[ -n $LM_BIN ]] || unset LM_BIN
source "$(dirname "${BASH_SOURCE[0]}")/../tests/crash/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/driver.sh"

agents=8 batches=40000 series=107 mib=1048576
loads=160
write_settings unused
for ((number = 1; number <= loads; number++)); do
  "$driver" tokens --agents "$agents" --secret-file "$work/secret" --prefix "r$number-" >>"$work/ingest-tokens.toml"
done

metric() { ask /metrics | awk -v name="$1" '$1 == name { printf "%d", $2 }'; }

# load NUMBER BATCHES: from agents of its own, for each sends the hours up to now.
load() {
  "$driver" run --url "https://127.0.0.1:$ingest_port" --ca "$work/tls/ca.pem" --secret-file "$work/secret" --agents "$agents" --batches "$2" \
    --prefix "r$1-" --alert-every 500 --seconds 120 >"$work/run"
  printf '%s %s\n' "$1" "$(python3 -c 'import json, sys; print(int(json.load(open(sys.argv[1]))["batches"]))' "$work/run")" >>"$work/acked"
}

# What all loads sent, and what of it the query API does not answer: metric by metric, since counts of two have the same labels.
answered() {
  local held
  total=$(($(awk '{ sum += $2 } END { print sum }' "$work/acked") * series))
  held=$(python3 - "http://127.0.0.1:$query_port" "$work/query-token" <<'P'
import json, sys, urllib.parse, urllib.request
url, token = sys.argv[1], open(sys.argv[2]).read().strip()
def ask(path, **parameters):
    request = urllib.request.Request(f'{url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}', headers={'Authorization': f'Bearer {token}'})
    return json.load(urllib.request.urlopen(request, timeout=120))['data']
senders = '{instance=~"r[0-9]+-.*"}'
held = 0
for name in ask('label/__name__/values', **{'match[]': senders}):
    if name != 'up':
        found = ask('query', query=f'sum(count_over_time({name}{senders}[3d]))')['result']
        held += int(float(found[0]['value'][1])) if found else 0
print(held)
P
  )
  missing=$((total - held))
}

start_collector
wait_ready
number=0
until [[ $(metric lm_collector_spool_bytes) -ge $((${LM_SPOOL_MIB:-1024} * mib)) ]]; do
  number=$((number + 1))
  [[ $number -lt $((loads - 60)) ]] || die "the spool does not grow: $(metric lm_collector_spool_bytes) bytes after $number loads"
  load "$number" "$batches"
  say "$(($(metric lm_collector_spool_bytes) / mib)) MiB of spool"
done
checkpoints=-1 since=0
for _ in $(seq 60); do
  bytes=$(metric lm_collector_spool_bytes)
  if [[ $(metric lm_collector_head_checkpoints_total) != "$checkpoints" ]]; then
    checkpoints=$(metric lm_collector_head_checkpoints_total) since=$bytes
  fi
  [[ $((bytes - since)) -lt $((48 * mib)) ]] || break
  number=$((number + 1))
  load "$number" 2000
done
say "$(((bytes - since) / mib)) MiB of it behind the last checkpoint that was seen"

: >"$work/ready"
for _ in $(seq "${LM_RESTARTS:-3}"); do
  kill_hard "$collector_pid"
  if [[ ${LM_COLD:-0} == 1 ]]; then
    sync
    find "$spool_in/spool" -type f -exec dd if={} iflag=nocache count=0 status=none \;
  fi
  began=${EPOCHREALTIME/[.,]/}
  start_collector
  until curl -fsS -m 2 "http://127.0.0.1:$query_port/readyz" >/dev/null 2>&1; do
    kill -0 "$collector_pid" 2>/dev/null || die "the collector ended: $(tail -n 5 "$work/collector.log")"
    [[ $((${EPOCHREALTIME/[.,]/} - began)) -lt 60000000 ]] || die "not ready within a minute"
    sleep 0.01
  done
  printf '%s %s\n' "$((${EPOCHREALTIME/[.,]/} - began))" "$(metric lm_collector_spool_replayed_records_total)" >>"$work/ready"
  answered
  printf '%s\n' "$missing" >>"$work/missing"
  say "ready after $(tail -n 1 "$work/ready" | cut -d' ' -f1) µs; $total samples acknowledged, $missing missing"
done
python3 - "$work" "$(metric lm_collector_spool_bytes)" "$total" "${LM_READY_MAX:-2}" <<'P'
import json, statistics, sys
work, spool, total, allowed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
rows = [tuple(map(int, line.split())) for line in open(work + '/ready')]
missing = max(map(abs, map(int, open(work + '/missing'))))
seconds = [row[0] / 1e6 for row in rows]
print(json.dumps({'spool_mib': round(spool / 2**20), 'ready_s': round(statistics.median(seconds), 2), 'ready_s_max': round(max(seconds), 2),
                  'records_replayed': statistics.median(row[1] for row in rows), 'samples_acknowledged': total, 'samples_missing': missing}))
sys.exit(0 if missing == 0 and max(seconds) <= allowed else 1)
P
