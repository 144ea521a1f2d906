"""Viewers on real sockets."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import numpy as np
import pytest

from auniverse.errors import AuthenticationError, ConnectionLostError
from auniverse.host import rfb_server
from auniverse.host.rfb_server import MAX_INPUTS, RFBServer
from auniverse.rfb import Screen
from tests.host.clients import Watcher, until


@asynccontextmanager
async def served(password=None, size=(16, 8)):
    """A listening server of a red screen; `server.changes` counts who came and went."""
    screen = Screen(*size)
    screen.paint(0, 0, np.full((size[1], size[0], 3), (255, 0, 0), np.uint8))
    screen.finish(1, 0.0)
    server = RFBServer(screen, password=password, changed=lambda: changes.append(None))
    changes = server.changes = []
    await server.listen("127.0.0.1", 0)
    server.screen = screen
    try:
        yield server
    finally:
        await server.close()
        assert server.links == []


@asynccontextmanager
async def come(server, **options):
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        yield Watcher(reader, writer, **options)
    finally:
        writer.close()


def test_a_viewer_is_shown_the_screen_and_then_what_changes():
    async def main():
        async with served() as server, come(server) as watcher:
            picture = await watcher.frame(1)
            assert (picture == (255, 0, 0)).all()
            assert len(server.watching()) == len(server.changes) == 1
            server.screen.paint(3, 2, np.full((1, 2, 3), 9, np.uint8))
            server.screen.finish(2, 0.0)
            server.update()
            picture = await watcher.frame(2)
            assert np.argwhere((picture == 9).all(axis=2)).tolist() == [[2, 3], [2, 4]]
            watcher.writer.close()
            await until(lambda: len(server.changes) == 2)
            assert server.watching() == []
            assert server.screen.viewers == ()

    asyncio.run(main())


def test_inputs_wait_to_be_taken():
    async def main():
        async with served() as server, come(server) as watcher:
            await watcher.frame(1)
            watcher.connection.send_key(0x61, True)
            watcher.connection.send_pointer(3, 4, 1)
            watcher.writer.write(watcher.connection.data_to_send())
            (link,) = server.watching()
            await until(lambda: len(link._inputs) == 2)
            assert link.take_inputs() == [(0x61, True), (3, 4, 1)]
            assert link.take_inputs() == []

    asyncio.run(main())


def test_a_flood_of_inputs_is_not_read():
    async def main():
        async with served() as server, come(server) as watcher:
            await watcher.frame(1)
            (link,) = server.watching()
            watcher.writer.write(b"\4\1\0\0\0\0\0a" * 10 * MAX_INPUTS)
            await until(lambda: len(link._inputs) >= MAX_INPUTS)
            assert not link.transport.is_reading()
            taken = link.take_inputs()
            while len(taken) < 10 * MAX_INPUTS:
                await asyncio.sleep(0)
                taken += link.take_inputs()
            assert link.transport.is_reading()

    asyncio.run(main())


def test_a_slow_viewer_gets_no_queue():
    async def main():
        async with served(size=(1000, 800)) as server, come(server) as watcher:
            await watcher.frame(1)
            (link,) = server.watching()
            link.viewer.receive_data(b"")
            sent = 0
            # It asks again and again, and reads nothing.
            request = b"\3\0" + b"\0\0\0\0\3\xe8\3\x20"
            while not link._paused:
                watcher.writer.write(request)
                server.screen.finish(server.screen.frame + 1, 0.0)
                await asyncio.sleep(0)
                sent += 1
                assert sent < 10_000
            held = link.transport.get_write_buffer_size()
            for _ in range(50):
                server.screen.paint(0, 0, np.zeros((800, 1000, 3), np.uint8))
                watcher.writer.write(request)
                server.update()
                await asyncio.sleep(0)
            assert link.transport.get_write_buffer_size() <= held < 8_000_000
            server.screen.finish(server.screen.frame + 1, 0.0)
            last = server.screen.frame
            picture = await watcher.frame(last)
            assert not picture.any(), "what it missed came as one"

    asyncio.run(main())


@pytest.mark.parametrize(
    "said",
    [b"GET / HTTP/1.1\r\n\r\n", b"RFB 003.008\n\x07", b"RFB 003.008\n\1\1\xff", b"RFB 003.008\n"],
    ids=["http", "no such security", "no such message", "leaves"],
)
def test_bad_viewers_do_not_disturb_others(said):
    async def main():
        async with served() as server, come(server) as good:
            await good.frame(1)
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(said)
            writer.write_eof()
            await reader.read()
            writer.close()
            await until(lambda: len(server.links) == 1)
            server.screen.paint(0, 0, np.zeros((1, 1, 3), np.uint8))
            server.screen.finish(2, 0.0)
            server.update()
            assert not (await good.frame(2))[0, 0].any()

    asyncio.run(main())


def test_passwords():
    async def main():
        async with served(password="secret12") as server:
            async with come(server, password="secret12") as watcher:
                await watcher.frame(1)
            for password in ("wrong", None):
                async with come(server, password=password) as watcher:
                    with pytest.raises(AuthenticationError):
                        await watcher.frame(1)
            assert len(server.changes) >= 2, "only the good one was counted in"
            assert server.watching() == []

    asyncio.run(main())


def test_an_unshared_viewer_sends_the_others_away():
    async def main():
        async with served() as server, come(server) as first, come(server) as second:
            await first.frame(1)
            await second.frame(1)
            async with come(server, shared=False) as third:
                await third.frame(1)
                for other in (first, second):
                    with pytest.raises(ConnectionLostError):
                        await other.frame(2)
                assert len(server.watching()) == 1

    asyncio.run(main())


def test_a_handshake_has_a_deadline(monkeypatch, caplog):
    monkeypatch.setattr(rfb_server, "HANDSHAKE", 0.02)
    caplog.set_level("INFO")

    async def main():
        async with served() as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            assert await reader.read() == b"RFB 003.008\n"
            writer.close()
            assert server.changes == [] or server.watching() == []

    asyncio.run(main())
    assert "no handshake" in caplog.text


def test_viewers_are_counted(monkeypatch, caplog):
    monkeypatch.setattr(rfb_server, "MAX_VIEWERS", 2)
    caplog.set_level("INFO")

    async def main():
        async with served() as server, come(server) as first, come(server) as second:
            await first.frame(1)
            await second.frame(1)
            async with come(server) as third:
                with pytest.raises(ConnectionLostError):
                    await third.frame(1)
            assert len(server.watching()) == 2

    asyncio.run(main())
    assert "2 viewers already" in caplog.text


def test_closing_closes_even_those_that_do_not_read(monkeypatch):
    monkeypatch.setattr(rfb_server, "LINGER", 0.02)

    async def main():
        async with served(size=(1000, 800)) as server, come(server) as watcher:
            await watcher.frame(1)
            (link,) = server.watching()
            while not link._paused:
                watcher.writer.write(b"\3\0" + b"\0\0\0\0\3\xe8\3\x20")
                await asyncio.sleep(0)
            await server.close()
            assert link.gone.done()

    asyncio.run(main())
