"""A server that is told what to say, and a link whose worker is stopped half way."""

import asyncio
import threading
import zlib
from contextlib import asynccontextmanager, suppress

import numpy as np

from auniverse.address import Remote
from auniverse.links import open_vnc
from auniverse.rfb.connection import MESSAGE_WORK
from tests.rfb.wire import ZLIB, opening, picture, rectangle, sized, update

WIDTH, HEIGHT = 160, 100


class Gate:
    """Stops a link's worker after one rectangle, until it is let on."""

    def __init__(self, link):
        self._inside = asyncio.Event()
        self._go_on = link.connection.go_on
        self._loop = asyncio.get_running_loop()
        self._open = threading.Event()
        link.connection.go_on = self._stop

    def _stop(self, work):
        if work == 0 or threading.current_thread() is threading.main_thread():
            return self._go_on(work)
        self._go_on(MESSAGE_WORK + 1)
        self._loop.call_soon_threadsafe(self._inside.set)
        assert self._open.wait(20)
        return self._go_on(work)

    def let_on(self):
        self._open.set()

    async def entered(self):
        async with asyncio.timeout(20):
            await self._inside.wait()


class Server:
    """Says what it is told to, when it is told to; keeps what it hears."""

    def __init__(self):
        self.heard = bytearray()
        self.writer = None
        self.ended = asyncio.Event()
        self.news = asyncio.Event()

    async def serve(self, reader, writer):
        self.writer = writer
        writer.write(opening(WIDTH, HEIGHT))
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                self.heard += data
                self.news.set()
        writer.close()
        self.ended.set()

    async def until_heard(self, words):
        async with asyncio.timeout(20):
            while words not in self.heard:
                self.news.clear()
                await self.news.wait()


@asynccontextmanager
async def talking(**options):
    """Open a link to a server of ours; yields both, and what waits for a wake-up of the link."""
    server, woken = Server(), asyncio.Event()
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listener:
        port = listener.sockets[0].getsockname()[1]
        link = await open_vnc(Remote("127.0.0.1", port, None), wake=woken.set, **options)

        async def until(reached):
            async with asyncio.timeout(20):
                while not reached():
                    woken.clear()
                    await woken.wait()

        try:
            yield server, link, until
        finally:
            await link.close()
            await server.ended.wait()


class Deflater:
    """A server's zlib stream. What it says is short enough to come in one piece."""

    def __init__(self):
        self._stream = zlib.compressobj()

    def __call__(self, x, y, pixels):
        height, width = pixels.shape[:2]
        data = self._stream.compress(pixels.tobytes()) + self._stream.flush(zlib.Z_SYNC_FLUSH)
        return rectangle(x, y, width, height, ZLIB, sized(data))


HALVES = [picture(WIDTH, HEIGHT // 2, colours=4, seed=seed) for seed in (1, 2)]
WHOLE = np.concatenate(HALVES)
DEFLATER = Deflater()
RECTANGLES = [DEFLATER(0, 0, HALVES[0]), DEFLATER(0, HEIGHT // 2, HALVES[1])]
SCREENFUL = update(*RECTANGLES)
assert len(SCREENFUL) < 1 << 15
