"""One address for several servers: balance.py LISTEN-PORT CUT-PERCENT PORT… passes each connection on to one that listens, by turns, and cuts that share of them when an answer is due: it was
stored then, and nobody was told."""

import asyncio
import contextlib
import random
import sys

listen, percent, *ports = map(int, sys.argv[1:])
chance = random.Random(listen)
turn = 0


async def passes(reader, writer, answers_left):
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            answers_left -= 1
            if answers_left == 0:
                break
            writer.write(data)
            await writer.drain()


async def serve(reader, writer):
    global turn
    for _ in ports:
        turn += 1
        try:
            from_server, to_server = await asyncio.open_connection("127.0.0.1", ports[turn % len(ports)])
            break
        except OSError:
            continue
    else:
        writer.transport.abort()
        return
    # Some pieces of an answer are of the handshake: what is cut there was never sent.
    ways = [asyncio.ensure_future(passes(reader, to_server, -1)), asyncio.ensure_future(passes(from_server, writer, chance.randint(4, 60) if chance.random() * 100 < percent else -1))]
    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    for way in ways:
        way.cancel()
    writer.transport.abort()
    to_server.transport.abort()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", listen)
    await server.serve_forever()


asyncio.run(main())
