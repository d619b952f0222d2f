#!/usr/bin/env bash
# What a GiB of syslog-like lines costs the collector, sealing included, and what is stored of it: logs.sh [DIR-WITH-lm-collector]   (default out/)
# Then how long searches over all of it take. Prints one line of JSON last. The lines come in batches of LM_LINES (1000) from LM_AGENTS (4); LM_BATCHES (9400) in all make 1 GiB.
# A file is sealed at 64 MiB: what is sealed at the end is what the ratio is of; the rest would be in an hour.
set -euo pipefail
LM_BIN=${1:-${LM_BIN:-}}
[[ -n $LM_BIN ]] || unset LM_BIN
source "$(dirname "${BASH_SOURCE[0]}")/../tests/crash/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/driver.sh"

agents=${LM_AGENTS:-4}
write_settings unused
"$driver" tokens --agents "$agents" --secret-file "$work/secret" >>"$work/ingest-tokens.toml"
start_collector
wait_ready

metric() { ask /metrics | awk -v name="$1" '$1 == name { print $2 }'; }
cpu() { awk '{ print ($14 + $15) / 100 }' "/proc/$collector_pid/stat"; }

before=$(cpu)
"$driver" run --url "https://127.0.0.1:$ingest_port" --ca "$work/tls/ca.pem" --secret-file "$work/secret" --agents "$agents" \
  --batches "${LM_BATCHES:-9400}" --log-lines "${LM_LINES:-1000}" --seconds 600 --pid "$collector_pid" | tee "$work/run"
# The files that are complete are sealed in the background, one after the other; the keeper looks every five seconds.
quiet=0
while [[ $quiet -lt 3 ]]; do
  sleep 3
  if [[ $(metric 'lm_collector_logs_files{kind="waiting"}') == 0 ]]; then quiet=$((quiet + 1)); else quiet=0; fi
done
after=$(cpu)
ask /metrics >"$work/metrics"

search() { # NAME QUERY: the second of two runs, in seconds
  for _ in 1 2; do
    curl -fsS -m 120 -o /dev/null -w '%{time_total}' -H @<(printf 'Authorization: Bearer %s\n' "$(cat "$work/query-token")") --get \
      "http://127.0.0.1:$query_port/api/v1/logs" --data-urlencode "query=$2" -d since=3h -d limit=5000 >"$work/took"
  done
  printf '%s %s\n' "$1" "$(cat "$work/took")" >>"$work/searches"
}

search rare_word '{input="syslog"} |= "xylophone42"'
search regex 'sum(count_over_time({input="syslog"} |~ "port [0-9]{2}77\\b|items/[0-9]+99 " [1m]))'
search newest '{input="syslog"}'
search count 'sum by (severity) (count_over_time({input="syslog"}[1m]))'
python3 - "$work" "$before" "$after" <<'P'
import json, re, sys
work, before, after = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
metrics = dict(re.findall(r'^(\S+(?:\{[^}]*\})?) (\S+)$', open(work + '/metrics').read(), re.M))
value = lambda name: float(metrics[name])
run = json.load(open(work + '/run'))
raw = value('lm_collector_logs_record_bytes_total') / 2**20
sealed, stored = value('lm_collector_logs_sealed_record_bytes') / 2**20, value('lm_collector_logs_file_bytes{kind="sealed"}') / 2**20
took = {name: float(seconds) for name, seconds in (line.split() for line in open(work + '/searches'))}
print(json.dumps({
    'raw_mib': round(raw, 1), 'ingest_mib_per_s': round(raw / run['seconds'], 1), 'collector_cpu_s': round(after - before, 2),
    'collector_mib_per_cpu_s': round(raw / (after - before), 1), 'sealed_raw_mib': round(sealed, 1), 'sealed_mib': round(stored, 1),
    'raw_per_stored': round(sealed / stored, 2) if stored else None, 'peak_rss_mib': run['server_peak_rss_mib'],
    'rare_word_ms': round(took['rare_word'] * 1000, 1), 'newest_5000_ms': round(took['newest'] * 1000, 1),
    'regex_mib_per_s': round(raw / took['regex'], 1), 'count_mib_per_s': round(raw / took['count'], 1)}))
P
