"""The VNC link against our own hosts, scripted offenders, and a real TigerVNC server."""

import asyncio
import threading
from socket import IPPROTO_TCP, TCP_NODELAY

import numpy as np
import pytest

from auniverse.address import Remote
from auniverse.errors import (
    ConnectionLostError,
    ProtocolError,
    RemoteError,
)
from auniverse.links import open_vnc, run
from auniverse.links.requests import Wants
from auniverse.links.turns import SMALL, Turns
from auniverse.rfb import LINKS, KeyEvent, PointerEvent, native_available
from tests.meter import HEIGHT, WIDTH, meters
from tests.rfb.wire import RAW, rectangle, update
from tests.scripted import OPENING, says
from tests.tigervnc import tigervnc, xterm

from .abroad import HEIGHT as TALL
from .abroad import WIDTH as WIDE
from .abroad import Deflater, talking

UPDATE_OF_ONE = b"\x00\x00\x00\x01"
RAW_4X4 = b"\x00\x00\x00\x00\x00\x04\x00\x04" + b"\x00\x00\x00\x00"


class Waker:
    """Waits on a link without polling."""

    def __init__(self):
        self.event = asyncio.Event()

    async def until(self, reached):
        async with asyncio.timeout(20):
            while not reached():
                self.event.clear()
                await self.event.wait()


def opening(port, **options):
    return open_vnc(Remote("127.0.0.1", port, None), **{"timeout": 5.0, **options})


def test_shows_a_hosts_screen_and_says_when_all_of_it_has_come():
    async def main():
        waker = Waker()
        async with meters(1) as hosts:
            link = await open_vnc(hosts[0].remote, wake=waker.event.set)
            assert link.size == (WIDTH, HEIGHT)
            await waker.until(lambda: link.refreshed)
            assert link.frame.number >= 1
            link.refresh()
            assert not link.refreshed
            await waker.until(lambda: link.refreshed)
            assert link.updated_at > 0
            await link.close()
            await link.close()
            assert link.fault is None

    asyncio.run(main())


def test_input_is_not_held_back_by_the_kernel():
    async def main():
        async with says(OPENING) as port:
            link = await opening(port)
            socket = link._transport.get_extra_info("socket")
            assert socket.getsockopt(IPPROTO_TCP, TCP_NODELAY)
            await link.close()

    run(main())
    asyncio.run(main())


@pytest.mark.parametrize(
    ("said", "then", "error", "words"),
    [
        ((UPDATE_OF_ONE + RAW_4X4 + b"half",), "close", ConnectionLostError, "rectangle"),
        ((UPDATE_OF_ONE + RAW_4X4[:-4] + b"\x00\x00\x00\x63",), "stall", ProtocolError, "99"),
        ((UPDATE_OF_ONE + b"\x00\x01" + RAW_4X4[2:],), "stall", ProtocolError, ""),
        ((b"\x2a",), "stall", ProtocolError, "42"),
    ],
)
def test_an_offence_later_on_ends_the_link_with_a_typed_fault(said, then, error, words):
    async def main():
        waker = Waker()
        async with says(OPENING, *said, then=then) as port:
            link = None
            try:
                link = await opening(port, wake=waker.event.set)
                await waker.until(lambda: link.fault)
                fault = link.fault
            except RemoteError as at_once:
                fault = at_once
            assert isinstance(fault, error)
            assert words in str(fault)
            assert str(port) in fault.remote
            if link:
                await link.close()

    asyncio.run(main())


def test_a_gigabyte_of_cut_text_costs_no_memory():
    async def main():
        waker = Waker()
        huge = b"\x03\x00\x00\x00\x3f\xff\xff\xff"
        async with says(OPENING, huge, *[bytes(65536)] * 64, then="close") as port:
            link = await opening(port, wake=waker.event.set)
            await waker.until(lambda: link.fault)
            assert link.connection.bytes_received > 4_000_000
            assert link.connection._buffer.capacity < 2_000_000
            await link.close()

    asyncio.run(main())


def test_a_server_that_reads_nothing_does_not_make_a_queue_grow():
    async def main():
        async with meters(1) as hosts:
            link = await open_vnc(hosts[0].remote)
            link._transport.pause_reading()
            keys = [KeyEvent(97, True)] * 50_000
            link.act(keys)
            link.act(keys)
            link.act(keys * 40)
            assert isinstance(link.fault, ConnectionLostError)
            await link.close()

    asyncio.run(main())


@pytest.mark.apt
@pytest.mark.parametrize("kind", LINKS)
def test_types_into_a_real_program_on_tigervnc_and_sees_it(tmp_path, kind):
    """The acceptance of the link: real TigerVNC, a real X program, pixels that change by typing."""

    async def main():
        waker = Waker()
        async with tigervnc(tmp_path) as (remote, display), xterm(display):
            link = await open_vnc(remote, encodings=LINKS[kind], wake=waker.event.set)
            assert link.size == (640, 480)
            await waker.until(lambda: link.pixels[..., 0].mean() > 50)  # the white terminal is up
            link.act([PointerEvent(100, 100, 0)])
            before = await still_picture(link, waker)
            for letter in "echo auniverse":
                link.act([KeyEvent(ord(letter), True), KeyEvent(ord(letter), False)])
            link.act([KeyEvent(0xFF0D, True), KeyEvent(0xFF0D, False)])
            await waker.until(lambda: typed(link, before) > 200)
            await still_picture(link, waker)
            # A second connection on plain Raw sees the very same pixels.
            witness_waker = Waker()
            witness = await open_vnc(remote, wake=witness_waker.event.set)
            await witness_waker.until(lambda: witness.refreshed)
            lost = 8 if kind == "wan" else 0  # there JPEG may be sent
            await waker.until(lambda: farthest(link, witness) <= lost)
            await witness.close()
            await link.close()

    asyncio.run(main())


def farthest(link, witness):
    return abs(link.pixels[..., :3].astype(int) - witness.pixels[..., :3]).max()


@pytest.mark.apt
def test_tigervnc_confirms_input_and_sends_updates_unasked(tmp_path):
    async def main():
        waker = Waker()
        async with tigervnc(tmp_path) as (remote, display), xterm(display):
            link = await open_vnc(remote, encodings=LINKS["lan"], wake=waker.event.set)
            await waker.until(lambda: link.connection.fences and link.connection.continuous)
            await waker.until(lambda: link.pixels[..., 0].mean() > 50)
            before = await still_picture(link, waker)
            assert link.inputs.read == 0
            assert link.act([PointerEvent(100, 100, 0)]) == 1
            for letter in "ls":
                link.act([KeyEvent(ord(letter), True), KeyEvent(ord(letter), False)])
            sent_at = asyncio.get_running_loop().time()
            await waker.until(lambda: link.inputs.read == link.inputs.sent == 5)
            assert link.inputs.read_at >= sent_at
            await waker.until(lambda: typed(link, before) > 20)
            # Another size, at our wish; continuous updates go on with it.
            link.connection.request_size(800, 500)
            link._ask(Wants.NOTHING)
            await waker.until(lambda: link.size == (800, 500) and link.refreshed)
            link.act([KeyEvent(ord("x"), True), KeyEvent(ord("x"), False)])
            seen = link.connection.updates
            await waker.until(lambda: link.connection.updates > seen)
            assert link.connection.continuous
            await link.close()
            assert link.fault is None

    asyncio.run(main())


@pytest.mark.parametrize("kind", LINKS)
def test_our_own_hosts_number_their_frames_so_no_fence_is_needed(kind):
    async def main():
        waker = Waker()
        async with meters(1) as hosts:
            link = await open_vnc(hosts[0].remote, encodings=LINKS[kind], wake=waker.event.set)
            await waker.until(lambda: link.frame and link.refreshed)
            assert link.connection.fences
            assert bool(link.connection.continuous) is (kind != "local")
            number = link.frame.number
            link.act([KeyEvent(97, True), KeyEvent(97, False)])
            await waker.until(lambda: link.frame.inputs == 2 and link.frame.number > number)
            assert (link.inputs.sent, link.inputs.read) == (2, 0)
            await link.close()

    asyncio.run(main())


FENCE = b"\xf8\0\0\0\x80\0\0\1\0"


@pytest.mark.parametrize("made_up", [bytes(8), b"\xff" * 8, b"", b"\xff" * 64])
def test_a_confirmation_of_what_was_not_sent_counts_for_nothing(made_up):
    async def main():
        waker = Waker()
        back = b"\xf8\0\0\0\0\0\0\1" + bytes([len(made_up)]) + made_up
        async with says(OPENING, FENCE + back, b"\2") as port:
            link = await opening(port, wake=waker.event.set)
            await waker.until(lambda: link.connection.bytes_received > len(OPENING + FENCE + back))
            assert (link.inputs.read, link.inputs.read_at) == (0, 0.0)
            await link.close()

    asyncio.run(main())


async def still_picture(link, waker):
    """Return the screen once nothing has changed on it for a whole second."""
    while True:
        picture = link.pixels[..., :3].copy()
        updates = link.connection.updates
        try:
            async with asyncio.timeout(1.0):
                await waker.until(lambda count=updates: link.connection.updates > count)
        except TimeoutError:
            return picture


def typed(link, before):
    return int((link.pixels[..., :3] != before).any(axis=2).sum())


#: A whole screen in a few bytes.
BLACK = update(Deflater()(0, 0, np.zeros((TALL, WIDE, 4), np.uint8)))
assert len(BLACK) < 500


@pytest.mark.skipif(not native_available(), reason="the compiled decoder was not built")
@pytest.mark.parametrize("workers", [True, False])
def test_few_bytes_that_hold_many_pixels_are_for_a_worker(monkeypatch, workers):
    """On the loop they are read only if there is no worker any more."""
    monkeypatch.setattr("auniverse.links.reading.SLICE", 4000)
    monkeypatch.setattr("auniverse.links.reading.SMALL_SLICE", 4000)
    if not workers:
        monkeypatch.setattr(Turns, "send_away", lambda *_, **__: False)
    threads = []

    async def main():
        async with talking() as (server, link, until):
            go_on = link.connection.go_on

            def note(work):
                before = link.connection.pixels
                go_on(work)
                if link.connection.pixels - before > 4000:
                    threads.append(threading.get_ident())

            link.connection.go_on = note
            server.writer.write(BLACK)
            await until(lambda: link.updated_at)
            assert not link.pixels[..., :3].any()

    asyncio.run(main())
    assert len(threads) == 1
    assert (threads[0] != threading.get_ident()) is workers


@pytest.mark.skipif(not native_available(), reason="the compiled decoder was not built")
def test_plain_pixels_are_read_at_once_until_something_else_comes(monkeypatch):
    sevens = update(rectangle(0, 0, WIDE, TALL, RAW, bytes([7]) * (4 * WIDE * TALL)))
    nines = update(rectangle(0, 0, WIDE, TALL, RAW, bytes([9]) * (4 * WIDE * TALL)))
    assert len(sevens) > SMALL

    async def main():
        async with talking() as (server, link, until):
            turns = []
            has_time = link._turns.has_time
            monkeypatch.setattr(link._turns, "has_time", lambda *a: turns.append(a) or has_time(*a))
            for number, screenful in enumerate((sevens, nines, sevens, BLACK), 1):
                assert link.connection.plain is (number > 1)
                server.writer.write(screenful)
                await until(lambda count=number: link.connection.updates == count)
                assert (link.pixels[..., :3] == (9 if number == 2 else 7)).all() or number == 4
            assert not link.pixels[..., :3].any()
            assert {plain for _, plain in turns} == {False}, "only the first pixels waited"

    asyncio.run(main())


def test_a_socket_that_brings_too_much_is_left_alone_for_a_round(monkeypatch):
    """And what it brings is read all the same. Where asyncio reads the socket, on and on."""
    monkeypatch.setenv("AUNIVERSE_DECODER", "numpy")
    monkeypatch.setattr("auniverse.links.turns.FULL", 100)
    screenful = update(rectangle(0, 0, WIDE, TALL, RAW, bytes([7]) * (4 * WIDE * TALL)))

    async def main():
        async with talking() as (server, link, until):
            held = []
            pause, resume = link._transport.pause_reading, link._transport.resume_reading
            link._transport.pause_reading = lambda: (held.append(True), pause())
            link._transport.resume_reading = lambda: (held.append(False), resume())
            server.writer.write(screenful * 3)
            await until(lambda: link.connection.updates == 3)
            async with asyncio.timeout(20):
                while held[-1]:  # noqa: ASYNC110 (nothing tells of it)
                    await asyncio.sleep(0)
            assert held == [True, False] * (len(held) // 2)
            assert (link.pixels == 7).all()

    asyncio.run(main())


@pytest.mark.parametrize("waiting", [True, False])
def test_the_next_update_is_asked_for_behind_who_waits_for_this_one(waiting):
    small = update(rectangle(0, 0, 4, 4, RAW, bytes(64)))
    key = KeyEvent(0x61, down=True)

    async def main():
        async with talking() as (server, link, until):
            request = link.connection.update_message()
            server.writer.write(small)  # what the link has asked for when it opened
            await server.until_heard(request)
            if waiting:
                link.act([key])
                await server.until_heard(link.connection.input_message(key))
            said = []
            write, wake = link._write, link._wake
            link._write = lambda data: (said.append(data), write(data))
            link._wake = lambda: (said.append(b"woken"), wake())
            server.heard.clear()
            server.writer.write(small)
            await until(lambda: link.connection.updates == 2)
            await server.until_heard(request)
            order = [b"woken", request] if waiting else [request, b"woken"]
            assert [one for one in said if one in order] == order
            assert server.heard.count(request) == 1

            said.clear()  # nobody has acted since
            server.heard.clear()
            server.writer.write(small)
            await server.until_heard(request)
            await until(lambda: b"woken" in said)
            assert [one for one in said if one in order] == [request, b"woken"]

    run(main())


@pytest.mark.parametrize("fate", ["a worker has the connection", "the link has failed"])
def test_a_late_request_leaves_a_connection_alone_that_is_not_there(fate):
    async def main():
        async with talking() as (_, link, _):
            link._unanswered, said = 1, []
            link._write = said.append
            if fate == "the link has failed":
                link.fail(ConnectionLostError("enough"))
            else:
                link._away = True
            link._ask_late()
            assert not said
            assert link._unanswered == 1
            link._away = False

    run(main())
