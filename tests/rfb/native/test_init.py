"""What was compiled; and what a connection gets of it that is more than a decoder: pixels that are
received on the screen itself come to the same as if they had been copied, whatever the cuts."""

from __future__ import annotations

import os
import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auniverse.errors import ConnectionLostError, RFBError
from auniverse.rfb.connection import Connection
from auniverse.rfb.decoders import Decoder
from auniverse.rfb.extensions import Fence
from auniverse.rfb.framebuffer import Framebuffer
from auniverse.rfb.messages import Updated
from auniverse.rfb.native import NativeDecoder, available, libraries
from auniverse.rfb.native.decoder import compiled
from auniverse.rfb.types import Limits

from ..wire import BELL, HEXTILE, RAW, noise, opening, picture, rectangle, rgb, update
from .streams import hextile
from .test_decoder import covered

needs_native = pytest.mark.skipif(not available(), reason="the compiled decoder was not built")

WIDTH, HEIGHT = 160, 320
#: Behind a rectangle that came to the screen, and the least that comes there.
NEXT_HEADER, WORTH_PLACING = 4096, 64 * 1024


def test_ci_has_compiled_it() -> None:
    """Elsewhere the tests of the compiled decoder are skipped without it; here that must show."""
    assert available() or not os.environ.get("CI")


def test_what_it_is_linked_with_is_said() -> None:
    assert set(libraries()) == ({"jpeg"} if available() else set())


def opened(decoder: type[Decoder] = NativeDecoder) -> Connection:
    connection = Connection(decoder=decoder)
    connection.receive_data(opening(WIDTH, HEIGHT))
    connection.events()
    assert connection.framebuffer is not None
    connection.framebuffer.damage.take()
    return connection


def raw(y: int, height: int, seed: int, x: int = 0, width: int = WIDTH) -> bytes:
    return rectangle(x, y, width, height, RAW, picture(width, height, seed=seed).tobytes())


def on_screen(connection: Connection, room: memoryview) -> bool:
    """Whether the socket writes to the screen; all of the room lies there then."""
    assert connection.framebuffer is not None
    pixels = connection.framebuffer.pixels
    begin = np.frombuffer(room, np.uint8).ctypes.data - pixels.ctypes.data
    if not 0 <= begin < pixels.nbytes:
        return False
    assert begin + len(room) <= pixels.nbytes
    return True


def receive(connection: Connection, data: bytes, most: int, work: int = 1 << 30) -> int:
    """As a socket that has at most so many bytes at a time; how many came to the screen."""
    placed, rest = 0, memoryview(data)
    while rest:
        room = connection.get_buffer(-1)
        count = min(len(room), len(rest), most)
        placed += count * on_screen(connection, room)
        room[:count] = rest[:count]
        del room
        connection.buffer_updated(count, work)
        while connection.pending:
            connection.go_on(1000)
        rest = rest[count:]
    return placed


@needs_native
@given(
    st.lists(st.integers(1, 200_000), min_size=1, max_size=6),
    st.integers(0, 1 << 32),
    st.sampled_from([0, 1, 1 << 30]),
)
@settings(max_examples=40, deadline=None)
def test_the_picture_is_the_same_however_it_comes(sizes: list[int], seed: int, work: int) -> None:
    """As numpy's decoder has it, which copies: also what was counted, and what was changed."""
    chance = random.Random(seed)
    rectangles = [
        raw(y := chance.randrange(HEIGHT), chance.randint(1, HEIGHT - y), number)
        if chance.random() < 0.7
        else raw(chance.randrange(200), 120, number, x=1, width=chance.randint(1, WIDTH - 1))
        for number in range(5)
    ]
    data = update(*rectangles[:3]) + BELL + update(*rectangles[3:])
    native, numpy = opened(), opened(Decoder)
    numpy.receive_data(data)
    rest = data
    while rest:
        size = sizes[len(rest) % len(sizes)]
        receive(native, rest[:size], size, work)
        rest = rest[size:]
    assert native.framebuffer is not None
    assert numpy.framebuffer is not None
    assert (rgb(native.framebuffer) == rgb(numpy.framebuffer)).all()
    for name in ("updates", "rectangles", "pixels", "bytes_received", "waiting", "unfinished"):
        assert getattr(native, name) == getattr(numpy, name), name
    assert len(native.events()) >= len(numpy.events()) == 3
    one, other = (
        covered(each.framebuffer.damage.take(), WIDTH, HEIGHT)
        for each in (native, numpy)
        if each.framebuffer
    )
    assert (one == other).all()


@needs_native
def test_a_wide_rectangle_is_received_where_it_belongs_and_nothing_else_is() -> None:
    """Up to its last byte: what is behind it must not get on the screen."""
    connection = opened()
    data = update(raw(0, HEIGHT, 1), raw(8, HEIGHT - 8, 2), rectangle(3, 3, 1, 1, RAW, b"abc\0"))
    first = 4 + 12 + 4 * WIDTH * HEIGHT
    head = 20_000
    assert receive(connection, data[:head], head) == 0
    for end in (head + 1, head + 1000, first):
        room = connection.get_buffer(-1)
        assert on_screen(connection, room)
        assert len(room) == first - connection.bytes_received + len(opening(WIDTH, HEIGHT))
        begin = connection.bytes_received - len(opening(WIDTH, HEIGHT))
        room[: end - begin] = data[begin:end]
        connection.buffer_updated(end - begin)
    room = connection.get_buffer(-1)
    assert not on_screen(connection, room)
    assert len(room) == NEXT_HEADER, "the pixels of the next one are to come to the screen, too"
    placed = receive(connection, data[first:], 1 << 20)
    assert placed == 4 * WIDTH * (HEIGHT - 8) - (NEXT_HEADER - 12)
    assert connection.framebuffer is not None
    expected = picture(WIDTH, HEIGHT, seed=1)[..., :3]
    expected[8:] = picture(WIDTH, HEIGHT - 8, seed=2)[..., :3]
    expected[3, 3] = [*b"abc"]
    assert (rgb(connection.framebuffer) == expected).all()
    assert connection.updates == 1


@needs_native
@pytest.mark.parametrize(
    "rest",
    [
        raw(0, HEIGHT, 1, x=1, width=WIDTH - 1),
        raw(0, WORTH_PLACING // (4 * WIDTH), 1),
        rectangle(0, 0, WIDTH, HEIGHT, HEXTILE, hextile(picture(WIDTH, HEIGHT))),
    ],
    ids=["not as wide", "small", "not raw"],
)
def test_what_is_not_received_on_the_screen(rest: bytes) -> None:
    assert receive(opened(), update(rest), 5000) == 0


@needs_native
def test_rows_with_gaps_between_them_are_copied() -> None:
    """A screen that is a part of a larger one."""
    memory = np.zeros((HEIGHT, WIDTH + 8, 4), np.uint8)
    connection = Connection(allocate=lambda width, height: memory[:height, :width])
    connection.receive_data(opening(WIDTH, HEIGHT))
    assert receive(connection, update(raw(0, HEIGHT, 1)), 50_000) == 0
    assert (memory[:, :WIDTH, :3] == picture(WIDTH, HEIGHT, seed=1)[..., :3]).all()
    assert not memory[:, WIDTH:].any()


@needs_native
def test_what_came_is_noted_by_the_next_look_at_it_and_not_before() -> None:
    connection = opened()
    data = update(raw(0, HEIGHT, 1))
    receive(connection, data[:5000], 5000)
    assert connection.framebuffer is not None
    connection.framebuffer.damage.take()
    begun = connection.unfinished
    connection.get_buffer(-1)[:1] = data[5000:5001]
    connection.buffer_updated(1, 0)
    assert connection.pending
    assert not connection.framebuffer.damage
    connection.go_on(1)
    assert not connection.pending
    assert connection.framebuffer.damage.take()
    assert connection.unfinished == begun is not None, "drops that make no progress"
    with pytest.raises(ConnectionLostError, match="inside a rectangle"):
        connection.receive_eof()


@needs_native
def test_no_more_is_taken_than_was_handed_out() -> None:
    connection = opened()
    receive(connection, update(raw(0, HEIGHT, 1))[:5000], 5000)
    room = connection.get_buffer(-1)
    with pytest.raises(ValueError, match="bytes written to"):
        connection.buffer_updated(len(room) + 1)


@needs_native
def test_a_buffer_goes_with_one_decoder() -> None:
    connection = opened()
    receive(connection, update(raw(0, HEIGHT, 1))[:5000], 5000)
    connection.get_buffer(-1)
    buffer = connection._buffer
    buffer.buffer_updated(10)
    other = NativeDecoder(Framebuffer(WIDTH, HEIGHT), limits=Limits())
    with pytest.raises(ValueError, match="another decoder"):
        other.read(buffer)


@needs_native
def test_a_screen_that_was_handed_out_stays_where_it_is() -> None:
    """Who still holds the room of a connection that is gone does no harm."""
    connection = opened()
    receive(connection, update(raw(0, HEIGHT, 1))[:5000], 5000)
    room = connection.get_buffer(-1)
    del connection
    room[:] = b"x" * len(room)
    assert bytes(room[-3:]) == b"xxx"


@needs_native
def test_a_breach_behind_it_says_where() -> None:
    connection = opened()
    data = update(raw(0, HEIGHT, 1), rectangle(0, 0, 1, 1, 77))
    at = len(opening(WIDTH, HEIGHT)) + len(data) - 12
    with pytest.raises(RFBError, match=rf"rectangle 77 .* \(at byte {at}, reading messages\)"):
        receive(connection, data, 100_000)


@needs_native
def test_hextile_is_painted_as_it_comes() -> None:
    """What waits is one tile that is not whole; colours hold from one piece to the next."""
    connection, pixels = opened(), picture(WIDTH, HEIGHT, 3)
    photo = picture(WIDTH, HEIGHT)
    data = update(
        rectangle(0, 0, WIDTH, HEIGHT, HEXTILE, hextile(photo)),
        rectangle(0, 0, WIDTH, HEIGHT, HEXTILE, hextile(pixels)),
    )
    for begin in range(0, len(data), 999):
        receive(connection, data[begin : begin + 999], 333, work=1000)
        assert connection.waiting < 1 + 4 * 256 + 12
    assert connection.framebuffer is not None
    assert (rgb(connection.framebuffer) == pixels[..., :3]).all()
    assert connection.updates == 1
    assert connection.pixels == 2 * WIDTH * HEIGHT


@needs_native
def test_hextile_stops_between_tiles_and_has_no_size_that_is_too_large() -> None:
    connection = opened()
    connection.lends = True
    data = update(rectangle(0, 0, WIDTH, HEIGHT, HEXTILE, b"\0" * (WIDTH * HEIGHT // 256)))
    room = connection.get_buffer(-1)
    room[: len(data)] = data
    connection.buffer_updated(len(data), 0)
    slices = 0
    while connection.pending:
        before = connection.pixels
        connection.go_on(2000)
        assert not connection.too_large
        assert connection.pixels - before <= 2000 + 256
        slices += 1
    assert slices >= WIDTH * HEIGHT // 2256
    assert connection.updates == 1


@needs_native
def test_a_tile_that_cannot_be_is_found_at_its_rectangle() -> None:
    connection = opened()
    start = len(opening(WIDTH, HEIGHT))
    wrong = b"\0" * 5 + b"\x0a" + bytes(4) + b"\1\xff\x10"
    data = update(rectangle(0, 0, WIDTH, 16, HEXTILE, wrong + noise(100)))
    match = rf"HEXTILE {WIDTH}x16 at \(0, 0\): a subrectangle outside .* \(at byte {start + 4}, "
    with pytest.raises(RFBError, match=match):
        receive(connection, data, 3)


@needs_native
def test_the_compiled_buffer_says_what_it_was_not_given() -> None:
    with pytest.raises(TypeError):
        compiled.ReceiveBuffer()  # type: ignore[call-arg]
    buffer = compiled.ReceiveBuffer(RFBError)
    for call in (buffer.buffer_updated, buffer.consume, buffer.holds, buffer.get_buffer):
        with pytest.raises(TypeError):
            call("x")  # type: ignore[operator]


fences = st.builds(
    lambda flags, payload: Fence(flags, payload).pack(),
    st.sampled_from([0, 1, 0x7FFFFFFF, 1 << 31, (1 << 31) + 7, (1 << 32) - 1]),
    st.integers(0, 66).map(bytes) | st.binary(max_size=9),
)


@needs_native
@given(st.lists(fences | st.just(update(raw(0, 1, 1))) | st.just(BELL), max_size=12), st.data())
@settings(max_examples=200, deadline=None)
def test_fences_are_read_as_python_reads_them(said: list[bytes], data: st.DataObject) -> None:
    """Answered, told or refused, wherever the stream is cut, and nothing before its turn."""
    stream, ends = b"".join(said), []
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=8).map(sorted))
    for decoder, places in ((NativeDecoder, cuts), (NativeDecoder, []), (Decoder, [])):
        connection = opened(decoder)
        connection.data_to_send()
        try:
            for start, end in pairwise([0, *places, len(stream)]):
                connection.receive_data(stream[start:end], work=1000)
                while connection.pending:
                    connection.go_on(1000)
            outcome = "fine"
        except RFBError as error:
            outcome = str(error)
        events = [event for event in connection.events() if not isinstance(event, Updated)]
        ends.append((outcome, events, connection.data_to_send(), connection.fences))
        ends[-1] += connection.updates, outcome == "fine" and connection.waiting
    assert ends[0] == ends[1] == ends[2]


@needs_native
def test_many_fences_at_once_are_all_answered_in_order() -> None:
    connection = opened()
    connection.data_to_send()
    connection.receive_data(b"".join(Fence(1 << 31, bytes([n] * 64)).pack() for n in range(50)))
    assert connection.data_to_send() == b"".join(
        Fence(0, bytes([n] * 64)).pack() for n in range(50)
    )
