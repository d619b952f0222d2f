#!/usr/bin/env bash
# The collector beside Debian's Prometheus and VictoriaMetrics, by turns and with the same data: peers.sh [DIR-WITH-lm-collector [OPTIONS of bench_servers.py]]
# Needs the folder `bench` of $LM_SHARED (default ../shared), and the peers, which its setup.sh installs. Prints one JSON object; progress goes to standard error.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
LM_BIN=$(realpath -m "${1:-$root/out}")
export LM_BIN
(($# == 0)) || shift
bench=$(realpath -m "${LM_SHARED:-$root/../shared}")/bench
[[ -x $LM_BIN/lm-collector ]] || { echo "error: $LM_BIN has no lm-collector: build it with scripts/publish.sh $LM_BIN" >&2; exit 1; }
[[ -f $bench/bench_servers.py ]] || { echo "error: $bench has no bench_servers.py: set LM_SHARED" >&2; exit 77; }
for peer in prometheus victoria-metrics; do
  command -v "$peer" >/dev/null || { echo "error: $peer is not installed: run $bench/setup.sh" >&2; exit 77; }
done
cd "$bench" # the spec names its script beside it
exec python3 ./bench_servers.py --server-spec lm-collector.spec.json "$@"
