"""A connection that takes bytes from a socket by itself comes to what it would if they were copied,
whatever the cuts; and what a socket can run into is told."""

from __future__ import annotations

import os
import random
import socket
import struct
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auniverse.errors import ConnectionLostError, RFBError
from auniverse.rfb.connection import Connection
from auniverse.rfb.decoders import Decoder
from auniverse.rfb.extensions import Fence
from auniverse.rfb.native import available
from auniverse.rfb.types import Limits

from ..wire import BELL, HEXTILE, noise, opening, picture, rectangle, rgb, update
from .streams import hextile
from .test_decoder import covered
from .test_init import HEIGHT, WIDTH, opened, raw

pytestmark = pytest.mark.skipif(not available(), reason="the compiled decoder was not built")

MUCH = 1 << 30
START = len(opening(WIDTH, HEIGHT))


class Pipe:
    """A socket, and the other end of it."""

    def __init__(self) -> None:
        self.near, self.far = socket.socketpair()
        self.near.setblocking(False)
        self.far.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        self.far.settimeout(5)

    def say(self, data: bytes) -> None:
        self.far.sendall(data)

    def take(
        self, connection: Connection, most: int = MUCH, at_once: int = MUCH, work: int = MUCH
    ) -> int:
        return connection.receive(self.near.fileno(), most, at_once, work)

    def feed(self, connection: Connection, data: bytes, size: int, **how: int) -> None:
        """Say it in pieces, and have each taken in and read."""
        for begin in range(0, len(data), size):
            self.say(data[begin : begin + size])
            left = min(size, len(data) - begin)
            while left:
                left -= self.take(connection, **how)
                while connection.pending:
                    connection.go_on(1000)

    def close(self) -> None:
        self.near.close()
        self.far.close()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.close()


def shown(connection: Connection) -> np.ndarray:
    assert connection.framebuffer is not None
    return rgb(connection.framebuffer)


rectangles = st.tuples(st.sampled_from(["wide", "any", "narrow", "small", "hextile"]), st.randoms())


def painted(kind: str, chance: random.Random) -> bytes:
    """A rectangle of that kind, anywhere on the screen."""
    if kind == "hextile":
        tiles = hextile(picture(WIDTH, 64, chance.randint(0, 9)))
        return rectangle(0, 0, WIDTH, 64, HEXTILE, tiles)
    least, most = {"wide": (WIDTH, WIDTH), "narrow": (1, 63), "small": (1, 9)}.get(
        kind, (64, WIDTH)
    )
    width, height = chance.randint(least, most), chance.randint(1, 9 if kind == "small" else HEIGHT)
    x, y = chance.randint(0, WIDTH - width), chance.randint(0, HEIGHT - height)
    return raw(y, height, chance.randrange(9), x=x, width=width)


@given(
    st.lists(rectangles, min_size=1, max_size=8),
    st.integers(0, 8),
    st.sampled_from([1, 999, 5000, 70_000, 150_000]).map(lambda size: size + 3),
    st.sampled_from([1, 4096, 100_000, MUCH]),
    st.sampled_from([-1, 0, 2048, MUCH]),
    st.sampled_from([0, 1, 5000, MUCH]),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_picture_is_the_same_however_it_comes(
    kinds: list[tuple[str, random.Random]], cut: int, size: int, most: int, at_once: int, work: int
) -> None:
    """As numpy's decoder has it, which copies: also what was counted, and what was changed."""
    drawn = [painted(*kind) for kind in kinds]
    text = b"\3" + bytes(3) + struct.pack(">I", 400) + b"x" * 400
    between = BELL + Fence(1 << 31, b"ping").pack() + text
    data = b"".join((update(*drawn[:cut]), between, update(*drawn[cut:]), BELL))
    most = max(most, len(data) // 500)  # or it would take all day
    native, numpy = (
        Connection(decoder=decoder, limits=Limits(cut_text=300))
        for decoder in (type(opened()._decoder), Decoder)
    )
    for connection in (native, numpy):
        connection.receive_data(opening(WIDTH, HEIGHT))
        connection.events()
    numpy.receive_data(data)
    pipe = Pipe()
    try:
        pipe.feed(native, data, max(size, len(data) // 500), most=most, at_once=at_once, work=work)
    finally:
        pipe.close()
    assert (shown(native) == shown(numpy)).all()
    for name in ("updates", "rectangles", "pixels", "bytes_received", "waiting", "unfinished"):
        assert getattr(native, name) == getattr(numpy, name), name
    assert native.data_to_send() == numpy.data_to_send()
    assert [type(event) for event in native.events() if type(event).__name__ != "Updated"] == [
        type(event) for event in numpy.events() if type(event).__name__ != "Updated"
    ]
    one, other = (
        covered(each.framebuffer.damage.take(), WIDTH, HEIGHT)
        for each in (native, numpy)
        if each.framebuffer
    )
    assert (one == other).all()


@pytest.mark.parametrize("width", [WIDTH, WIDTH - 1, 64])
def test_large_rectangles_are_received_where_they_belong(pipe: Pipe, width: int) -> None:
    """Seen by this: without work to spend nothing is painted that lies in memory first."""
    connection = opened()
    data = update(raw(0, HEIGHT, 1, width=width), raw(8, 100, 2, width=width))
    head = 4 + 12 + 40
    pipe.say(data[:head])
    assert pipe.take(connection) == head
    row = 4 * width
    pipe.say(data[head : head + 3 * row])
    assert pipe.take(connection, work=0) == 3 * row
    expected = picture(width, HEIGHT, seed=1)
    assert connection.waiting == 0
    assert (shown(connection)[:3, :width] == expected[:3, :, :3]).all()
    assert (shown(connection)[3, :10] == expected[3, :10, :3]).all()
    assert not shown(connection)[4:].any()
    assert connection.framebuffer is not None
    assert connection.framebuffer.damage.take(), "and it is told"
    pipe.feed(connection, data[head + 3 * row :], 100_000)
    expected[8:108] = picture(width, 100, seed=2)
    assert (shown(connection)[:, :width] == expected[..., :3]).all()
    assert not shown(connection)[:, width:].any()
    assert connection.updates == 1


def test_behind_such_pixels_there_is_room_for_what_leads_to_the_next(pipe: Pipe) -> None:
    connection = opened()
    whole, header = 4 * WIDTH * 100, 12
    data = update(raw(0, 100, 1), raw(100, 100, 2)) + BELL
    pipe.feed(connection, data[: 4 + header], 100)
    pipe.say(data[4 + header :])
    assert pipe.take(connection, work=0) == whole + 4096
    assert connection.waiting == 4096, "the others' pixels are for the screen"
    while connection.pending:
        connection.go_on(100_000)
    assert pipe.take(connection, work=0) == whole + header - 4096 + 1
    assert connection.updates == 1, "the last of its pixels came where they belong"
    assert connection.waiting == 1


def test_rows_with_gaps_between_them(pipe: Pipe) -> None:
    """A screen that is a part of a larger one."""
    memory = np.zeros((HEIGHT, WIDTH + 8, 4), np.uint8)
    connection = Connection(allocate=lambda width, height: memory[:height, :width])
    connection.receive_data(opening(WIDTH, HEIGHT))
    pipe.feed(connection, update(raw(0, HEIGHT, 1)), 50_000)
    assert (memory[:, :WIDTH, :3] == picture(WIDTH, HEIGHT, seed=1)[..., :3]).all()
    assert not memory[:, WIDTH:].any()


@pytest.mark.parametrize("most", [1, 100, 5000])
def test_no_more_is_taken_than_was_asked_for(pipe: Pipe, most: int) -> None:
    connection = opened()
    pipe.say(update(raw(0, 40, 1)))
    assert pipe.take(connection, most) == most
    assert connection.bytes_received == START + most


def test_much_that_waits_is_left_for_later(pipe: Pipe) -> None:
    """All of it, but for plain pixels."""
    connection = opened()
    tiles = update(rectangle(0, 0, WIDTH, HEIGHT, HEXTILE, hextile(picture(WIDTH, HEIGHT))))
    pipe.say(tiles)
    assert pipe.take(connection, at_once=len(tiles) - 1) == len(tiles)
    assert connection.waiting == len(tiles)
    assert connection.pending
    assert connection.pixels == 0
    connection.go_on()
    assert connection.updates == 1
    pipe.feed(connection, update(raw(0, 9, 1)), MUCH)
    assert connection.plain
    pipe.say(update(*(raw(9 * y, 9, y) for y in range(9))))
    pipe.take(connection, at_once=0)
    assert connection.updates == 3
    pipe.say(update(rectangle(0, 0, WIDTH, 16, HEXTILE, hextile(picture(WIDTH, 16)))))
    pipe.take(connection, at_once=0)
    assert not connection.plain
    assert connection.updates == 4, "it is not known before it is read"


def test_what_is_skipped_is_not_read_as_something_else(pipe: Pipe) -> None:
    """A text that is too long, made of what looks like updates; behind plain pixels, too."""
    connection = Connection(limits=Limits(cut_text=10))
    connection.receive_data(opening(WIDTH, HEIGHT))
    pipe.feed(connection, update(raw(0, HEIGHT, 1)), MUCH)
    lure = update(raw(0, HEIGHT, 2))
    text = b"\3" + bytes(3) + struct.pack(">I", len(lure)) + lure
    pipe.feed(connection, text, 5000)
    assert connection.updates == 1
    assert (shown(connection) == picture(WIDTH, HEIGHT, seed=1)[..., :3]).all()
    pipe.feed(connection, update(raw(0, HEIGHT, 2)), 5000)
    assert (shown(connection) == picture(WIDTH, HEIGHT, seed=2)[..., :3]).all()


def test_nothing_there_is_no_error_and_the_end_is(pipe: Pipe) -> None:
    connection = opened()
    assert pipe.take(connection) == 0
    pipe.say(update(raw(0, 40, 1))[:500])
    pipe.far.close()
    assert pipe.take(connection) == 500
    with pytest.raises(EOFError):
        pipe.take(connection)
    with pytest.raises(ConnectionLostError, match="inside a rectangle"):
        connection.receive_eof()
    with pytest.raises(ConnectionLostError, match="closed"):
        pipe.take(connection)


def test_a_socket_that_is_broken_says_so(pipe: Pipe) -> None:
    connection = opened()
    with pytest.raises(OSError, match="Bad file descriptor"):
        connection.receive(-1, MUCH, MUCH, MUCH)
    pipe.say(BELL)
    assert pipe.take(connection) == 1, "that was not the connection's fault"


def test_a_breach_says_where(pipe: Pipe) -> None:
    connection = opened()
    data = update(raw(0, HEIGHT, 1), rectangle(0, 0, 1, 1, 77))
    at = START + len(data) - 12
    with pytest.raises(RFBError, match=rf"rectangle 77 .* \(at byte {at}, reading messages\)"):
        pipe.feed(connection, data, 100_000)
    with pytest.raises(ConnectionLostError, match="closed"):
        pipe.take(connection)


def test_a_message_that_is_too_long_is_refused(pipe: Pipe) -> None:
    connection = opened()
    connection._buffer = type(connection._buffer)(RFBError, limit=100_000)  # type: ignore[call-arg]
    length = struct.pack(">I", 150_000)
    pipe.feed(connection, update(rectangle(0, 0, WIDTH, HEIGHT, 6, length)), 5000)
    pipe.say(noise(5000))
    with pytest.raises(RFBError, match="the limit is 100000"):
        pipe.take(connection)


def test_it_is_for_connections_that_are_open(pipe: Pipe) -> None:
    with pytest.raises(ConnectionLostError, match="not open yet"):
        pipe.take(Connection())
    slow = opened(Decoder)
    assert not slow.receives
    assert opened().receives
    with pytest.raises(NotImplementedError):
        pipe.take(slow)


def test_the_compiled_decoder_says_what_it_was_not_given(pipe: Pipe) -> None:
    connection = opened()
    kernel = connection._decoder._kernel  # type: ignore[union-attr]
    assert connection.framebuffer is not None
    pixels, file = connection.framebuffer.pixels, os.dup(pipe.near.fileno())
    right = (pixels, connection._buffer, MUCH, MUCH, 1, file, 100, 100)
    for place, wrong in ((0, b"x"), (1, b"x"), *((number, "x") for number in range(2, 8))):
        with pytest.raises((TypeError, BufferError)):
            kernel.receive(*right[:place], wrong, *right[place + 1 :])
    with pytest.raises(TypeError):
        kernel.receive(*right[:-1])
    for place in (4, 6):
        with pytest.raises(ValueError, match="not that many"):
            kernel.receive(*right[:place], -1, *right[place + 1 :])
    assert kernel.receive(*right) is None
    os.close(file)
