"""Reads blocks as Thanos and Prometheus would: bucket_blocks.py BLOCKS SEEDED ACKED SENT

Every block whose meta.json is there must be whole. Those without a deletion mark are dumped by promtool: SEEDED samples that were there before, what ACKED lists (a line AGENT:SEQUENCE for each acknowledged batch)
and nothing that SENT does not list must be in them, each sample in one block only."""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile


def check(condition, what):
    if not condition:
        print(what)
        sys.exit(1)


def lines(path):
    return set(pathlib.Path(path).read_text().split())


def main():
    folder, seeded, acked, sent = sys.argv[1:]
    blocks, marked, halves, samples = 0, 0, 0, 0
    metas = [json.loads(path.read_text()) for path in pathlib.Path(folder).glob("*/meta.json")]
    replaced = {parent["ulid"] for meta in metas for parent in meta["compaction"].get("parents", [])}
    with tempfile.TemporaryDirectory() as copy:
        (pathlib.Path(copy) / "wal").mkdir()
        for block in sorted(pathlib.Path(folder).iterdir()):
            if not (block / "meta.json").exists():
                halves += 1
                continue
            meta = json.loads((block / "meta.json").read_text())
            check(meta["ulid"] == block.name and meta["thanos"]["labels"] and meta["thanos"]["upload_time"], f"{block}: its meta.json is not what lands")
            for file in meta["thanos"]["files"]:
                path = block / file["rel_path"]
                check(path.exists() and path.stat().st_size == file.get("size_bytes", path.stat().st_size), f"{path} is missing or has another size")
            if (block / "deletion-mark.json").exists():
                check(json.loads((block / "deletion-mark.json").read_text())["id"] == block.name, f"{block}: its mark is another block's")
                marked += 1
                continue
            if block.name in replaced:
                marked += 1  # before long: Prometheus deletes such when it starts
                continue
            blocks += 1
            samples += meta["stats"]["numSamples"]
            shutil.copytree(block, pathlib.Path(copy) / block.name)
        dump = subprocess.run(["promtool", "tsdb", "dump", copy], capture_output=True, text=True)
        check(dump.returncode == 0, f"promtool: {dump.stderr[-400:]}")
    found = [line for line in dump.stdout.splitlines() if line.startswith("{")]
    there = [line for line in found if "seeded_value" in line]
    batches = [(re.search(r'instance="([^"]*)"', line).group(1), line.split()[-2]) for line in found if '"fault_seq"' in line]
    held = [f"{agent}:{int(float(value))}" for agent, value in batches]
    acked, sent = lines(acked), lines(sent)
    lost, twice, invented = len(acked - set(held)), len(held) - len(set(held)), len(set(held) - sent)
    print(f"{blocks} blocks and {marked} marked ones, parts of {halves}: {samples} samples, {len(found)} of them different, {len(there)} of {seeded} seeded; "
          f"{len(held)} batches of {len(acked)} acknowledged, {lost} lost, {twice} doubled, {invented} invented")
    sys.exit(0 if samples == len(found) and len(there) == int(seeded) and not lost and not twice and not invented else 1)


main()
