"""Servers that dawdle, fall silent or hang up half: each ends in time, or costs nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from auniverse.address import Remote
from auniverse.errors import ConnectionLostError, RemoteTimeoutError
from auniverse.links import VNCLink, open_rewarder, open_vnc
from auniverse.rfb import KeyEvent
from auniverse.session import Session
from tests.rfb.wire import RAW, opening, rectangle, update
from tests.scripted import says

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def served_by(serve: Serve) -> AsyncIterator[int]:
    """Listen, and leave no handler behind. Yields the port."""
    handlers = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handlers.append(asyncio.current_task())
        try:
            await serve(reader, writer)
        except ConnectionError:
            return
        finally:
            writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        await asyncio.gather(*[handler for handler in handlers if handler])


HALF = update(rectangle(0, 0, 4, 3, RAW, bytes(48)))[:-7]


@pytest.mark.parametrize("place", range(0, len(opening()), 7))
def test_a_stall_anywhere_in_the_opening_ends_in_time(place: int) -> None:
    async def main() -> None:
        async with says(opening()[:place]) as port:
            with pytest.raises(RemoteTimeoutError, match="handshake"):
                await open_vnc(Remote("127.0.0.1", port, None), timeout=0.05)

    asyncio.run(main())


def test_a_trickle_does_not_put_the_end_of_the_opening_off() -> None:
    """Slow-loris: the deadline is for all of it, not for each byte."""

    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard = asyncio.create_task(reader.read(1 << 16))
        for place in range(12):  # the version takes longer than there is
            writer.write(opening()[place : place + 1])
            await asyncio.wait([heard], timeout=0.05)
        await heard

    async def main() -> None:
        async with served_by(trickle) as port:
            with pytest.raises(RemoteTimeoutError, match="handshake"):
                await open_vnc(Remote("127.0.0.1", port, None), timeout=0.2)

    asyncio.run(main())


def test_a_rewarder_that_does_not_upgrade_ends_in_time() -> None:
    async def main() -> None:
        async with says(b"HTTP/1.1 101 Switching Protocols\r\n") as port:
            with pytest.raises(RemoteTimeoutError):
                await open_rewarder(Remote("127.0.0.1", None, port), timeout=0.05)

    asyncio.run(main())


def test_a_silent_half_of_an_update_costs_nothing() -> None:
    """No callback runs and no memory is taken while nothing comes; input still goes out."""

    async def main() -> None:
        read = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(opening() + HALF)
            while data := await reader.read(1 << 16):
                if KeyEvent(97, True).pack() in data:
                    read.set()

        async with served_by(serve) as port:
            link = await open_vnc(Remote("127.0.0.1", port, None))
            await until(link, lambda: link.connection.bytes_received == len(opening() + HALF))
            capacity = link.connection._buffer.capacity
            link.act([KeyEvent(97, True)])
            async with asyncio.timeout(10):
                await read.wait()
            assert link.connection._buffer.capacity == capacity
            assert link.connection.updates == 0
            assert link.fault is None
            assert not link.connection.pending
            await link.close()

    asyncio.run(main())


PICTURE = update(rectangle(0, 0, 64, 64, RAW, bytes(4 * 64 * 64)))


def pouring(drop: int) -> Serve:
    """Open at once, then send an update so many bytes at a time, and nothing after it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        gone = asyncio.create_task(reader.read(-1))
        writer.write(opening(64, 64))
        for at in range(0, len(PICTURE), drop):
            writer.write(PICTURE[at : at + drop])
            await asyncio.wait([gone], timeout=0.02)
            if gone.done():
                break
        await gone

    return serve


def test_drops_of_an_update_are_no_answer() -> None:
    """Slow-loris inside a rectangle: the server is never silent, and never done."""

    async def main() -> None:
        news = asyncio.Event()
        async with (
            served_by(pouring(1)) as port,
            Session(Remote("127.0.0.1", port, None), silence=0.5, wake=news.set) as session,
            asyncio.timeout(20),
        ):
            while session.fault is None:
                news.clear()
                await news.wait()
            assert isinstance(session.fault, RemoteTimeoutError)
            assert session.fault.retryable
            assert f":{port}" in session.fault.remote
            assert session.vnc is not None
            assert 0 < session.vnc.connection.bytes_received < len(opening() + PICTURE) // 2

    asyncio.run(main())


def test_a_slow_line_is_not_taken_for_that() -> None:
    """The update takes longer than the remote may be silent, and comes."""

    async def main() -> None:
        news = asyncio.Event()
        async with (
            served_by(pouring(400)) as port,
            Session(Remote("127.0.0.1", port, None), silence=0.5, wake=news.set) as session,
            asyncio.timeout(20),
        ):
            assert session.vnc is not None
            link = session.vnc
            while not link.connection.updates:
                assert session.fault is None
                news.clear()
                await news.wait()

    asyncio.run(main())


@pytest.mark.parametrize("said", [b"", HALF, b"\3\0\0\0\0\0"])
def test_half_open_from_their_side_is_noticed_at_once(said: bytes) -> None:
    """They have said their last word and go on listening: there will be no more pixels."""

    async def main() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(opening() + said)
            writer.write_eof()
            await reader.read()

        async with served_by(serve) as port:
            try:
                link = await open_vnc(Remote("127.0.0.1", port, None))
                await until(link, lambda: link.fault is not None)
                fault = link.fault
                await link.close()
            except ConnectionLostError as at_once:
                fault = at_once
            assert isinstance(fault, ConnectionLostError)

    asyncio.run(main())


def test_a_server_that_hears_nothing_cannot_make_us_keep_what_we_say() -> None:
    async def main() -> None:
        over = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(opening())
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            await over.wait()

        async with served_by(serve) as port:
            link = await open_vnc(Remote("127.0.0.1", port, None))
            keys = [KeyEvent(97, True)] * 100_000
            written = 0
            while link.fault is None and written < 200:
                link.act(keys)
                written += 1
            assert isinstance(link.fault, ConnectionLostError)
            assert "no longer reads" in str(link.fault)
            over.set()

    asyncio.run(main())


async def until(link: VNCLink, reached: Callable[[], bool]) -> None:
    """Wait on the link without polling."""
    news = asyncio.Event()
    link._wake = news.set
    async with asyncio.timeout(20):
        while not reached():
            news.clear()
            await news.wait()
