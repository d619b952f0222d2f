"""Sends samples of days that are over by remote write: old_samples.py URL CA TOKEN_TABLE NUMBER OF

Of two days, which ended three days ago or more, there is a sample of seeded_value each minute; this is request NUMBER (from 0) of OF, which has every OF-th of them. The first token of the table signs it."""

import ssl
import struct
import sys
import time
import tomllib
import urllib.request

TWO_DAYS = 2 * 86_400_000
MINUTE = 60_000


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def label(name, value):
    return field(1, field(1, name.encode()) + field(2, value.encode()))


def snappy(content):
    """As it is, in literals."""
    out = varint(len(content))
    for at in range(0, len(content), 65_536):
        piece = content[at:at + 65_536]
        out += bytes([61 << 2]) + struct.pack("<H", len(piece) - 1) + piece
    return out


def main():
    url, ca, table, number, of = sys.argv[1:]
    with open(table, "rb") as file:
        token = tomllib.load(file)["tokens"][0]["token"]
    start = (int(time.time() * 1000) - 3 * 86_400_000) // TWO_DAYS * TWO_DAYS - TWO_DAYS
    times = range(start + int(number) * MINUTE, start + TWO_DAYS, int(of) * MINUTE)
    samples = b"".join(field(2, b"\x09" + struct.pack("<d", at % 977) + b"\x10" + varint(at)) for at in times)
    body = field(1, label("__name__", "seeded_value") + label("host", "a") + samples)
    headers = {"Authorization": "Bearer " + token, "Content-Type": "application/x-protobuf", "Content-Encoding": "snappy", "X-Prometheus-Remote-Write-Version": "0.1.0"}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=ca)))
    with opener.open(urllib.request.Request(url, snappy(body), headers), timeout=30) as answer:
        answer.read()
    print(len(times))


main()
