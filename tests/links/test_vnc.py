"""The VNC link against our own hosts, scripted offenders, and a real TigerVNC server."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from auniverse.address import Remote
from auniverse.errors import (
    AuthenticationError,
    ConnectError,
    ConnectionLostError,
    ProtocolError,
    RemoteError,
    RemoteTimeoutError,
)
from auniverse.links import open_vnc
from auniverse.links.vnc import SeenDamage
from auniverse.rfb import LINKS, Box, KeyEvent, PointerEvent
from tests.meter import HEIGHT, WIDTH, meters
from tests.scripted import BANNER, NO_SECURITY, OPENING, says
from tests.tigervnc import tigervnc, xterm

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


def test_a_wrong_password_names_remote_and_remedy():
    async def main():
        async with meters(1) as hosts:
            remote = replace(hosts[0].remote, vnc_password="guessed1")
            with pytest.raises(AuthenticationError) as caught:
                await open_vnc(remote)
            assert caught.value.remote == f"vnc://127.0.0.1:{remote.vnc_port}"
            assert "guessed1" not in str(caught.value)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        ((b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n",), RemoteError, "SSH"),
        ((b"HTTP/1.1 400 Bad Request\r\n\r\n",), RemoteError, "HTTP"),
        ((BANNER, b"\x00\x00\x00\x00\x10too many clients"), RemoteError, "too many clients"),
        ((BANNER, b"\x01\x13"), AuthenticationError, "19"),
        (
            (BANNER, NO_SECURITY, b"\x00\x00\x00\x00", b"\xff\xff\xff\xff" * 6),
            ProtocolError,
            "name",
        ),
    ],
)
def test_what_is_no_server_for_us_is_refused_at_once(said, error, words):
    async def main():
        async with says(*said) as port:
            with pytest.raises(error, match=words) as caught:
                await opening(port)
            assert str(port) in caught.value.remote

    asyncio.run(main())


def test_a_stall_in_the_handshake_ends_in_time():
    async def main():
        async with says(BANNER) as port:
            with pytest.raises(RemoteTimeoutError, match="handshake") as caught:
                await opening(port, timeout=0.2)
            assert str(port) in caught.value.remote
            assert caught.value.remedy

    asyncio.run(main())


def test_closing_in_the_handshake_says_where():
    async def main():
        async with says(BANNER, then="close") as port:
            with pytest.raises(ConnectionLostError, match="handshake"):
                await opening(port)

    asyncio.run(main())


def test_nobody_listens():
    async def main():
        async with says() as port:
            pass
        with pytest.raises(ConnectError, match=str(port)) as caught:
            await opening(port)
        assert caught.value.remedy

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
        async with says(OPENING, huge, *[bytes(65536)] * 64) as port:
            link = await opening(port, wake=waker.event.set)
            await waker.until(lambda: link.connection.bytes_received > 4_000_000 or link.fault)
            assert link.connection.get_buffer(1).obj.__len__() < 2_000_000 or link.fault
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


def test_damage_knows_when_every_pixel_came():
    damage = SeenDamage()
    assert damage.complete
    damage.watch(4, 2)
    damage.add(Box(0, 0, 4, 1))
    damage.add(Box(0, 0, 4, 1))
    assert not damage.complete
    damage.add(Box(0, 1, 4, 1))
    assert damage.complete
    assert damage.take() == [Box(0, 0, 4, 1), Box(0, 1, 4, 1)]


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
            await waker.until(lambda: np.array_equal(link.pixels[..., :3], witness.pixels[..., :3]))
            await witness.close()
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


def test_damage_counts_pixels_of_any_place():
    rng = np.random.default_rng(1)
    for width, height in ((1, 1), (7, 3), (8, 2), (17, 9), (33, 5)):
        damage = SeenDamage()
        damage.watch(width, height)
        unseen = np.ones((height, width), bool)
        while unseen.any():
            assert not damage.complete
            x, y = rng.integers(width + 1), rng.integers(height + 1)
            box = Box(
                int(x), int(y), int(rng.integers(width - x + 1)), int(rng.integers(height - y + 1))
            )
            damage.add(box)
            unseen[y : y + box.height, x : x + box.width] = False
        assert damage.complete
