"""Reads log files as zstd and any reader of JSON do: bucket_lines.py LOGS ACKED SENT LINES

Of what ACKED lists (a line AGENT:SEQUENCE for each acknowledged batch) all LINES lines must be in them, each once, and none of a batch that SENT does not list."""

import collections
import json
import pathlib
import re
import subprocess
import sys


def main():
    folder, acked, sent, count = sys.argv[1:]
    files = sorted(map(str, pathlib.Path(folder).rglob("*.ndjson.zst")))
    text = subprocess.run(["zstd", "-dcq", *files], capture_output=True, check=True).stdout
    found = collections.Counter(line["body"] for line in map(json.loads, text.splitlines()) if line.get("input") == "fault")
    acked, sent = (set(pathlib.Path(path).read_text().split()) for path in (acked, sent))
    wanted = {f"batch {batch} line {number}" for batch in acked for number in range(int(count))}
    lost, twice = len(wanted - found.keys()), sum(number - 1 for number in found.values())
    invented = sum(re.fullmatch(r"batch (.*) line \d+", body)[1] not in sent for body in found)
    print(f"{len(files)} log files: {len(found)} lines of {len(wanted)} acknowledged, {lost} lost, {twice} doubled, {invented} invented")
    sys.exit(0 if wanted and not lost and not twice and not invented else 1)


main()
