"""Reads raw objects by docs/formats/raw.md alone: raw_objects.py FOLDER ACKED SENT

Every object must be whole, each must begin where the one before it ended, and what ACKED lists (a line AGENT:SEQUENCE for each acknowledged batch) must be in them, each batch in one record only and none that
SENT does not list."""

import hashlib
import pathlib
import struct
import sys

TABLE = []
for byte in range(256):
    for _ in range(8):
        byte = (byte >> 1) ^ 0x82F63B78 if byte & 1 else byte >> 1
    TABLE.append(byte)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 255] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def place(data, at):
    return struct.unpack_from("<IxxxxQ", data, at)


def check(condition, what):
    if not condition:
        print(what)
        sys.exit(1)


def read(path):
    data = path.read_bytes()
    check(data[:8] == b"LMRAWOB\n" and data[-8:] == b"LMRAWEND", f"{path}: it does not begin and end as a raw object")
    trailer = data[-64:]
    offset, size, version = struct.unpack_from("<QIH", trailer)
    check(version == 1 and offset + size + 64 == len(data), f"{path}: its trailer is wrong")
    check(crc32c(trailer[:52]) == struct.unpack_from("<I", trailer, 52)[0], f"{path}: its trailer's checksum is wrong")
    check(hashlib.sha256(data[:-64]).digest() == trailer[16:48], f"{path}: its SHA-256 is wrong")
    manifest = data[offset : offset + size]
    check(crc32c(manifest[:-4]) == struct.unpack_from("<I", manifest, size - 4)[0], f"{path}: its manifest's checksum is wrong")
    records, queues, name = struct.unpack_from("<III", manifest, 80)
    at, batches = 96 + name, 0
    for _ in range(records):
        kind = manifest[at + 4]
        start, length, body, checksum = struct.unpack_from("<QIII", manifest, at + 16)
        record = data[start : start + length]
        check(record[0] == kind and crc32c(record) == checksum, f"{path}: a record at byte {start} is wrong")
        if kind == 1:
            check(record[body : body + 8] == b"LMFRAME\n", f"{path}: no frame where the manifest says, in the record at byte {start}")
            batches += 1
        at += 40
    sequences = []
    for _ in range(queues):
        (length,) = struct.unpack_from("<H", manifest, at)
        agent = manifest[at + 2 : at + 2 + length].decode()
        (ranges,) = struct.unpack_from("<I", manifest, at + 18 + length)
        at += 22 + length
        for _ in range(ranges):
            first, last = struct.unpack_from("<QQ", manifest, at)
            sequences += [f"{agent}:{sequence}" for sequence in range(first, last + 1)]
            at += 16
    check(at == size - 4, f"{path}: its manifest does not end where it should")
    check(batches == len(sequences), f"{path}: {batches} records of batches, {len(sequences)} sequences")
    return place(manifest, 16), place(manifest, 48), sequences


def lines(path):
    return set(pathlib.Path(path).read_text().split())


def main():
    folder, acked, sent = sys.argv[1:]
    paths = sorted(pathlib.Path(folder).glob("*/*/*.lmf"))
    landed, end, incarnation = [], (0, 0), None
    for path in paths:
        check(incarnation in (None, path.parent), f"{path}: another life of the spool")
        incarnation = path.parent
        begin, after, sequences = read(path)
        check(begin == end, f"{path}: it begins at {begin}, the object before it ended at {end}")
        end = after
        landed += sequences
    acked, sent = lines(acked), lines(sent)
    lost, twice, invented = len(acked - set(landed)), len(landed) - len(set(landed)), len(set(landed) - sent)
    print(f"{len(paths)} objects, {len(landed)} batches landed of {len(acked)} acknowledged, {lost} lost, {twice} doubled, {invented} invented")
    sys.exit(0 if not lost and not twice and not invented and landed else 1)


if __name__ == "__main__":
    main()
