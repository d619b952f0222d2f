#!/usr/bin/env bash
# What it costs to take a log file in: tail.sh [DIR-WITH-lm-collector-and-lm-agent] [MIB]   (default out/, 1024)
# Syslog-like lines, read by lm-agent --once, taken and sealed by the collector. Prints one line of JSON last: CPU seconds of both programs (user + system),
# MiB of raw lines for each second of them, how much of it is sealed and what that takes, beside what zstd -1 makes of the bare lines; peak memory.
set -euo pipefail
LM_BIN=${1:-${LM_BIN:-}}
[[ -n $LM_BIN ]] || unset LM_BIN
mib=${2:-1024}
source "$(dirname "${BASH_SOURCE[0]}")/../tests/crash/lib.sh"

need python3=python3 zstd=zstd
find_load_driver # makes the token table
write_settings tail-agent
sed -i 's/^interval_ms = .*/interval_ms = 15000/' "$work/agent.toml"
printf '[[log_inputs]]\nname = "syslog"\npath = "%s/syslog"\nstart_at = "beginning"\n' "$work" >>"$work/agent.toml"
python3 - "$work/syslog" "$mib" <<'P'
import random, sys, time
random.seed(1)
programs = ["sshd", "systemd", "kernel", "CRON", "nginx", "postfix/smtpd", "dockerd", "sudo"]
users = ["root", "www-data", "deploy", "backup", "alice", "bob"]
keys = [f"{random.getrandbits(128):032x}" for _ in range(300)]
messages = [
    lambda: f"Accepted publickey for {random.choice(users)} from 10.{random.randrange(256)}.{random.randrange(256)}.{random.randrange(256)} port {random.randrange(1024, 65536)} ssh2: ED25519 SHA256:{random.choice(keys)}",
    lambda: f"Started Session {random.randrange(100000)} of user {random.choice(users)}.",
    lambda: f"[{random.random() * 1e6:.6f}] eth0: link up, {random.choice([100, 1000, 10000])} Mbps, full-duplex, lpa 0x{random.getrandbits(16):04x}",
    lambda: f"({random.choice(users)}) CMD (/usr/local/bin/job --id {random.randrange(1000)} --queue q{random.randrange(8)})",
    lambda: f"10.0.{random.randrange(256)}.{random.randrange(256)} GET /api/v2/items/{random.randrange(1000000)}?page={random.randrange(50)} {random.choice([200, 200, 200, 304, 404, 500])} {random.randrange(50000)} {random.random():.3f}",
    lambda: f"disconnect from unknown[192.168.{random.randrange(256)}.{random.randrange(256)}] ehlo=1 auth=0/1 commands=1/2",
]
now, block, size = time.time() - 86400, [], 0
while size < min(int(sys.argv[2]), 64) << 20:
    now += random.random() / 500
    line = time.strftime("%b %e %H:%M:%S", time.localtime(now)) + f" web{random.randrange(4)} {random.choice(programs)}[{random.randrange(300, 65000)}]: {random.choice(messages)()}\n"
    block.append(line)
    size += len(line)
block = "".join(block).encode()
with open(sys.argv[1], "wb") as f:
    left = int(sys.argv[2]) << 20
    while left > 0:
        f.write(block[:left] if left < len(block) else block)
        left -= len(block)
    f.write(b"\n")
P
zstd_1=$(head -c 64M "$work/syslog" | zstd -1 -c | wc -c)
start_collector
wait_ready
metric() { ask /metrics | awk -v name="$1" '$1 == name { print $2 }'; }
cpu() { awk '{ print ($14 + $15) / 100 }' "/proc/$collector_pid/stat"; }

before=$(cpu)
python3 - "$bin/lm-agent" "$work" <<'P'
import json, os, sys, time
agent, work = sys.argv[1:]
began = time.monotonic()
pid = os.posix_spawn(agent, [agent, "--once", f"{work}/agent.toml"], os.environ, file_actions=[
    (os.POSIX_SPAWN_OPEN, 2, f"{work}/agent.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)])
_, status, usage = os.wait4(pid, 0)
json.dump({
    "seconds": round(time.monotonic() - began, 1), "exit_code": os.waitstatus_to_exitcode(status),
    "agent_user_s": round(usage.ru_utime, 2), "agent_system_s": round(usage.ru_stime, 2), "agent_peak_mib": round(usage.ru_maxrss / 1024, 1)}, open(f"{work}/run", "w"))
P
# A file is complete at 64 MiB, some 330 MiB of these lines: such files are sealed in the background, while lines come or a few seconds later.
quiet=0
while [[ $quiet -lt 3 ]]; do
  sleep 3
  if [[ $(metric 'lm_collector_logs_files{kind="waiting"}') == 0 ]]; then quiet=$((quiet + 1)); else quiet=0; fi
done
after=$(cpu)
ask /metrics >"$work/metrics"
python3 - "$work" "$before" "$after" "$zstd_1" "$(awk '/^VmHWM/ { print $2 / 1024 }' "/proc/$collector_pid/status")" <<'P'
import json, os, re, sys
work, collector = sys.argv[1], float(sys.argv[3]) - float(sys.argv[2])
run = json.load(open(f"{work}/run"))
metrics = dict(re.findall(r'^(\S+(?:\{[^}]*\})?) (\S+)$', open(f"{work}/metrics").read(), re.M))
value = lambda name: float(metrics[name]) / 2**20
mib, agent = os.path.getsize(f"{work}/syslog") / 2**20, run["agent_user_s"] + run["agent_system_s"]
sealed, stored = value("lm_collector_logs_sealed_record_bytes"), value('lm_collector_logs_file_bytes{kind="sealed"}')
print(json.dumps({"mib": round(mib), **run, "collector_s": round(collector, 2), "collector_peak_mib": round(float(sys.argv[5]), 1),
    "agent_mib_per_cpu_s": round(mib / agent, 1), "collector_mib_per_cpu_s": round(mib / max(collector, 0.01), 1), "both_mib_per_cpu_s": round(mib / (agent + collector), 1),
    "sealed_mib": round(sealed, 1), "raw_per_stored": round(sealed / stored, 2) if stored else None,
    "raw_per_zstd_1": round(min(mib, 64) * 2**20 / int(sys.argv[4]), 2)}))
sys.exit(run["exit_code"])
P
