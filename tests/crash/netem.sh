#!/usr/bin/env bash
# A bad network between load, agent and collector, in namespaces of the fault kit: delay, jitter, loss, reordering, doubled packets, answers that
# never arrive, no network at all. Nothing acknowledged is lost, nothing is doubled or invented.
#   netem.sh [SECONDS] [SCHEDULE of netem_tun.py]
# Settings as for faultkit.sh.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

seconds=${1:-5}
# By default a seventh of the time without answers and an eighth without any network, whatever the length.
at() { python3 -c "print($seconds * $1)"; }
find_kit netem.sh netem_tun.py
need ip=iproute2
[[ -e /dev/net/tun ]] || skip "there is no /dev/net/tun"
ip netns add "lm-try-$$" 2>/dev/null || skip "network namespaces cannot be made here"
ip netns delete "lm-try-$$"
schedule=${2:-"0:delay=20,jitter=15,loss=1,reorder=3,dup=2;$(at 0.3):down_ba=1;$(at 0.45):down_ba=0,loss=5;$(at 0.6):down=1;$(at 0.72):down=0,loss=1"}
address=10.77.0.2
prepare_faults
run_kit "network" netem.sh --seconds "$seconds" --drain-s 3 --seed "$seed" --schedule "$schedule" --health "http://127.0.0.1:$query_port/readyz" \
  --server "bash -c '$collector & relay_and_drain'" --client "bash -c '$crash_load:$ingest_port & run_agent'" --dump held_batches
