"""What was compiled, and what a connection gets of it that is more than a decoder."""

from __future__ import annotations

import os
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auniverse.errors import RFBError
from auniverse.rfb.connection import Connection
from auniverse.rfb.decoders import Decoder
from auniverse.rfb.extensions import Fence
from auniverse.rfb.messages import Updated
from auniverse.rfb.native import NativeDecoder, available, libraries
from auniverse.rfb.native.decoder import compiled

from ..wire import BELL, HEXTILE, RAW, noise, opening, picture, rectangle, rgb, update
from .streams import hextile

needs_native = pytest.mark.skipif(not available(), reason="the compiled decoder was not built")

WIDTH, HEIGHT = 160, 320


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


def receive(connection: Connection, data: bytes, most: int, work: int = 1 << 30) -> None:
    """As asyncio does for a socket that has at most so many bytes at a time."""
    rest = memoryview(data)
    while rest:
        room = connection.get_buffer(-1)
        count = min(len(room), len(rest), most)
        room[:count] = rest[:count]
        del room
        connection.buffer_updated(count, work)
        while connection.pending:
            connection.go_on(1000)
        rest = rest[count:]


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
