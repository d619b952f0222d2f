#!/usr/bin/env bash
# A real systemd journal that grows while lm-agent, which follows it through journalctl, is killed at random instants: every entry arrives once, and in
# order. Settings as for kill.sh; the long run: LM_CRASH_ROUNDS=100 tests/crash/journal.sh
#   LM_ENTRIES_PER_SECOND (400)
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

remote=/lib/systemd/systemd-journal-remote
need journalctl=systemd "$remote=systemd-journal-remote" python3=python3
find_load_driver
relay_port=$(free_port)
write_settings journal-agent "$relay_port"
arrived=$work/arrived entries=$work/entries
mkdir -p "$entries" "$work/programs" "$work/account"
touch "$arrived"
cat >>"$work/agent.toml" <<T
[[log_inputs]]
name = "journal"
kind = "journal"
start_at = "beginning"
T
# The agent finds journalctl in PATH; this one reads our journal and not the machine's.
printf '#!/bin/sh\nexec %s --directory=%s "$@"\n' "$(command -v journalctl)" "$entries" >"$work/programs/journalctl"
chmod +x "$work/programs/journalctl"

# Numbered entries in the export format: mostly short, now and then long, and written in bursts, until it is told to stop.
cat >"$work/entries.py" <<'P'
import signal, struct, sys, time
stopping = False
def stop(*_):
    global stopping
    stopping = True
signal.signal(signal.SIGTERM, stop)
written, count = 0, max(1, int(sys.argv[1]) // 20)
while not stopping:
    for _ in range(count):
        written += 1
        text = b'journal %d ' % written + b'x' * (8000 if written % 97 == 0 else written % 60)
        sys.stdout.buffer.write(
            b'__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=0123456789abcdef0123456789abcdef\nPRIORITY=6\nSYSLOG_IDENTIFIER=crash\nMESSAGE\n'
            % (time.time_ns() // 1000, written) + struct.pack('<Q', len(text)) + text + b'\n\n')
    sys.stdout.buffer.flush()
    time.sleep(0.05)
open(sys.argv[2], 'w').write('journal %d\n' % written)
P

start_agent() {
  PATH=$work/programs:$PATH "$bin/lm-agent" --daemon "$work/agent.toml" >>"$work/agent.log" 2>&1 &
  agent_pid=$!
}

start_collector
wait_ready
start_other "$driver relay --listen $address:$relay_port --url https://$address:$ingest_port --ca $work/tls/ca.pem --cert $work/tls/server.pem --key $work/tls/server.key --lines $arrived --lose 5"
mkfifo "$work/export"
"$remote" --output="$entries/system.journal" "$work/export" >>"$work/other.log" 2>&1 &
writer_pid=$!
other_pids="$other_pids $writer_pid"
python3 "$work/entries.py" "${LM_ENTRIES_PER_SECOND:-400}" "$work/account/written" >"$work/export" &
load_pid=$!
for ((round = 1; round <= rounds; round++)); do
  [[ $((RANDOM % 3)) -ne 0 ]] || nap
  start_agent
  nap
  kill -0 "$agent_pid" 2>/dev/null || die "the agent ended by itself: $(tail -n 5 "$work/agent.log")"
  kill -0 "$load_pid" 2>/dev/null || die "the writer ended by itself: $(tail -n 5 "$work/other.log")"
  kill_hard "$agent_pid"
done
kill -TERM "$load_pid"
wait "$load_pid"
load_pid=''
wait "$writer_pid" || die "the journal was not written: $(tail -n 5 "$work/other.log")"
start_agent
code=3
for _ in $(seq 60); do
  code=0
  result=$("$driver" account --folder "$work/account" --arrived "$arrived") || code=$?
  [[ $code -eq 3 ]] || break
  sleep 1
done
kill_hard "$agent_pid"
agent_pid=''
result="$(tail -n 1 <<<"$result") ($rounds kills, seed $seed)"
[[ $code -eq 0 ]] || die "$result"

# What the account would not see it could not vouch for.
half=$(($(wc -l <"$arrived") / 2))
for change in "${half}d" "${half}p"; do
  sed "$change" "$arrived" >"$work/doctored"
  ! "$driver" account --folder "$work/account" --arrived "$work/doctored" >>"$work/other.log" || die "the account did not notice a lost or doubled entry"
done
say "$result"
