"""A socket is read past its transport, which still writes to it; and is given back."""

import asyncio
import os
import socket
import struct
import sys

import pytest

from auniverse.errors import ConnectionLostError
from auniverse.links import new_event_loop
from auniverse.links.intake import Intake
from auniverse.rfb import KeyEvent
from auniverse.rfb.native import available
from tests.rfb.wire import BELL, RAW, picture, rectangle, update

from .abroad import HEIGHT, WIDTH, talking

compiled = pytest.mark.skipif(not available(), reason="the compiled decoder was not built")
LOOPS = [asyncio.new_event_loop, new_event_loop]


def run(main, loop):
    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(main)


def descriptors():
    """Of this process; /dev/fd is where other systems than Linux have them."""
    return len(os.listdir("/proc/self/fd" if sys.platform == "linux" else "/dev/fd"))


@compiled
@pytest.mark.parametrize("loop", LOOPS)
def test_a_link_reads_its_socket_by_itself_once_it_is_open(loop):
    pixels = picture(WIDTH, HEIGHT, seed=3)
    screenful = update(rectangle(0, 0, WIDTH, HEIGHT, RAW, pixels.tobytes()))

    async def main():
        async with talking() as (server, link, until):
            assert link._intake is not None

            def never(*_):
                raise AssertionError("asyncio read it")

            link.connection.get_buffer = never
            server.writer.write(screenful * 20)
            await until(lambda: link.connection.updates == 20)
            assert (link.pixels[..., :3] == pixels[..., :3]).all()
            link.act([KeyEvent(0x61, True)])
            while not server.heard.endswith(struct.pack(">BBxxI", 4, 1, 0x61)):
                server.news.clear()
                await server.news.wait()

    run(main(), loop)


@compiled
@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("end", ["close", "reset", "shut"])
def test_the_end_is_told_and_nothing_is_left_open(loop, end):
    async def main():
        async with talking():
            pass  # a loop may open something of its own
        before = descriptors()
        async with talking() as (server, link, until):
            server.writer.write(BELL)
            if end == "close":
                server.writer.close()
            elif end == "shut":
                server.writer.write_eof()
            else:
                linger = struct.pack("ii", 1, 0)
                server.writer.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, linger
                )
                server.writer.transport.abort()
            await until(lambda: link.fault)
            assert isinstance(link.fault, ConnectionLostError)
            assert link._intake is None
        for _ in range(10):  # the listener's own sockets
            await asyncio.sleep(0)
        return descriptors() - before

    assert run(main(), loop) <= 0


@compiled
@pytest.mark.parametrize("loop", LOOPS)
def test_links_that_are_closed_or_dropped_give_their_sockets_back(loop):
    async def main():
        before = None
        for round_ in range(6):
            async with talking() as (_, link, _):
                if round_ % 2:
                    link.abort()
            for _ in range(10):
                await asyncio.sleep(0)
            if round_ == 1:
                before = descriptors()
        return descriptors() - before

    assert run(main(), loop) <= 0


@compiled
def test_a_decoder_that_reads_no_sockets_is_given_bytes(monkeypatch):
    monkeypatch.setenv("AUNIVERSE_DECODER", "numpy")

    async def main():
        async with talking() as (server, link, until):
            assert link._intake is None
            server.writer.write(update(rectangle(0, 0, 1, 1, RAW, b"abc\0")))
            await until(lambda: link.connection.updates)

    asyncio.run(main())


@compiled
def test_a_loop_that_watches_no_sockets_reads_for_us(monkeypatch):
    """As Windows' own does."""

    def refuse(*_):
        raise NotImplementedError

    async def main():
        monkeypatch.setattr(asyncio.get_running_loop(), "add_reader", refuse)
        before = descriptors()
        async with talking() as (server, link, until):
            assert link._intake is None
            server.writer.write(update(rectangle(0, 0, 1, 1, RAW, b"abc\0")))
            await until(lambda: link.connection.updates)
        for _ in range(10):
            await asyncio.sleep(0)
        assert descriptors() <= before

    asyncio.run(main())


@compiled
@pytest.mark.parametrize("loop", LOOPS)
def test_what_the_core_runs_into_ends_the_link_and_is_told_on_the_loop(loop):
    """A mistake of ours: no remote can do that."""

    async def main():
        told = []
        asyncio.get_running_loop().set_exception_handler(lambda _, what: told.append(what))
        async with talking() as (server, link, until):

            def break_down(*_):
                raise ZeroDivisionError

            link.connection.receive = break_down
            server.writer.write(BELL)
            await until(lambda: link.fault)
            assert "could not be decoded: ZeroDivisionError" in str(link.fault)
        assert [type(what["exception"]) for what in told] == [ZeroDivisionError]

    run(main(), loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_it_can_wait_and_go_on(loop):
    async def main():
        near, far = socket.socketpair()
        running = asyncio.get_running_loop()
        transport, _ = await running.create_connection(asyncio.Protocol, sock=near)
        files, readable = [], asyncio.Event()

        def ready(file):
            files.append(os.read(file, 100))
            readable.set()

        intake = Intake.of(transport, ready)
        far.sendall(b"one")
        await readable.wait()
        for _ in range(2):
            intake.pause_reading()
        far.sendall(b"two")
        for _ in range(10):
            await asyncio.sleep(0)
        assert files == [b"one"]
        readable.clear()
        for _ in range(2):
            intake.resume_reading()
        await readable.wait()
        assert files == [b"one", b"two"]
        for _ in range(2):
            intake.close()
        intake.resume_reading()
        far.sendall(b"three")
        for _ in range(10):
            await asyncio.sleep(0)
        assert files == [b"one", b"two"]
        transport.close()
        far.close()

    run(main(), loop)
