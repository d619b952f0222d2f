#!/usr/bin/env bash
# Remote write under kill -9 and power cuts, fast enough that checkpoints of the head come between: every acknowledged request is held, whole and once.
#   writes.sh [ROUNDS of kill [ROUNDS of power cuts]]   (default 10 and 3)
#   LM_BIN=DIR, LM_SHARED=DIR, LM_CRASH_SEED            as the two scripts have it
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
LM_CRASH_ROUNDS=${1:-${LM_CRASH_ROUNDS:-10}} "$here/kill.sh" writes
exec "$here/faultkit.sh" writes power "${2:-3}" --max-ms 2000 --size-mb 4096
