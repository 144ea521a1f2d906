"""Tunnels: bytes in both directions, the end of either, and nobody left behind."""

import asyncio
import socket

from auniverse.address import Remote
from auniverse.links import open_vnc, tunnel
from tests.scripted import OPENING, says


class Line:
    """A far end made of queues; what is written comes back in capitals."""

    def __init__(self):
        self.coming = asyncio.Queue()
        self.closed = asyncio.Event()
        self.broken = False

    async def read(self):
        return await self.coming.get()

    async def write(self, data):
        if self.broken:
            raise ConnectionResetError("cut")
        self.coming.put_nowait(data.upper())

    async def close(self):
        self.closed.set()


async def opened():
    line = Line()
    reader, writer = await asyncio.open_connection(sock=await tunnel.carried(line))
    return line, reader, writer


def test_bytes_go_both_ways_and_our_end_closes_the_far_one():
    async def main():
        line, reader, writer = await opened()
        writer.write(b"a" * 300_000)
        assert await reader.readexactly(300_000) == b"A" * 300_000
        writer.close()
        await writer.wait_closed()
        await line.closed.wait()
        await asyncio.gather(*tunnel._carrying)

    asyncio.run(main())


def test_the_last_words_of_the_far_end_arrive():
    async def main():
        line, reader, writer = await opened()
        line.coming.put_nowait(b"bye")
        line.coming.put_nowait(b"")
        assert await reader.read() == b"bye"
        await line.closed.wait()
        writer.close()

    asyncio.run(main())


def test_a_tunnel_that_breaks_ends():
    async def main():
        line, reader, writer = await opened()
        line.broken = True
        writer.write(b"x")
        assert await reader.read() == b""
        await line.closed.wait()
        writer.close()

    asyncio.run(main())


def test_plain_tcp_needs_none():
    async def main():
        remote = Remote("::1", 5900, 15900)
        assert await tunnel.dial(remote, 5900, screen=True) == {"host": "::1", "port": 5900}

    asyncio.run(main())


def test_the_kernel_is_told_to_watch_the_far_side_of_a_connection():
    async def main():
        async with says(OPENING) as port:
            link = await open_vnc(Remote("127.0.0.1", port, None))
            sock = link._transport.get_extra_info("socket")
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            for name, value in tunnel.KEEPALIVE.items():
                if hasattr(socket, name):
                    assert sock.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) == value
            await link.close()
        _, _, writer = await opened()
        tunnel.keep_alive(writer.transport)  # the inside of a tunnel has no kernel's far side
        writer.close()

    asyncio.run(main())
