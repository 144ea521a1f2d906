"""What only the compiled decoder does: its own inflating, damage, rows of large rectangles."""

from __future__ import annotations

import ctypes
import random
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auniverse.errors import MalformedRectangleError
from auniverse.rfb.decoders import Decoder
from auniverse.rfb.framebuffer import Framebuffer
from auniverse.rfb.messages import FrameDrawn, Updated
from auniverse.rfb.native import NativeDecoder, available
from auniverse.rfb.types import FRAME_LAYOUT, Box, Frame, Limits

from ..decoders.test_tight import compact
from ..decoders.test_zrle import zrle
from ..wire import (
    FRAME,
    RAW,
    TIGHT,
    ZLIB,
    ZRLE,
    feed_on,
    picture,
    rectangle,
    rgb,
    screen,
    sized,
    update,
)
from .test_decoder import covered

pytestmark = pytest.mark.skipif(not available(), reason="the compiled decoder was not built")


@given(st.lists(st.integers(1, 120_000), max_size=8))
@settings(max_examples=25, deadline=None)
def test_a_large_raw_rectangle_is_painted_byte_by_byte(cuts: list[int]) -> None:
    """As numpy's decoder paints it in the end, with nothing of it kept waiting."""
    pixels = picture(120, 200, seed=1)
    data = update(
        rectangle(1, 2, 120, 200, RAW, pixels.tobytes()), rectangle(0, 0, 1, 1, RAW, b"abc\0")
    )
    framebuffer, expected = Framebuffer(130, 210), Framebuffer(130, 210)
    feed_on(Decoder(expected, limits=Limits()), [data])
    framebuffer.damage.take()
    subject = NativeDecoder(framebuffer, limits=Limits())
    waiting, begin = b"", 0
    for end in [*sorted({*cuts}), len(data)]:
        waiting += data[begin:end]
        fed = subject.feed(memoryview(waiting))
        waiting, begin = waiting[fed.consumed :], max(begin, end)
        assert len(waiting) < 16 or fed.updates
        assert fed.needed <= 16
    assert not waiting
    assert not subject.inside
    assert (rgb(framebuffer) == rgb(expected)).all()
    assert framebuffer.damage.take() == [Box(1, 2, 120, 200), Box(0, 0, 1, 1)]


def test_the_screen_must_not_shrink_inside_a_rectangle() -> None:
    framebuffer = Framebuffer(200, 200)
    subject = NativeDecoder(framebuffer, limits=Limits())
    data = update(rectangle(0, 0, 200, 200, RAW), count=1) + bytes(800)
    assert subject.feed(memoryview(data)).consumed == len(data)
    framebuffer.resize(200, 199)
    with pytest.raises(ValueError, match="smaller screen"):
        subject.feed(memoryview(bytes(800)))


def test_a_bomb_costs_no_memory() -> None:
    subject = NativeDecoder(screen(8, 8), limits=Limits())
    bomb = zlib.compress(bytes(1_000_000), 9)
    with pytest.raises(MalformedRectangleError, match="more than 256"):
        subject.feed(memoryview(update(rectangle(0, 0, 8, 8, ZLIB, sized(bomb)))))
    subject = NativeDecoder(screen(8, 8), limits=Limits())
    with pytest.raises(MalformedRectangleError, match="after its tiles"):
        subject.feed(memoryview(update(rectangle(0, 0, 8, 8, ZRLE, zrle(b"\1abc" + bytes(9))))))


def test_damage_is_bounded_and_holds_all_that_was_painted() -> None:
    chance = random.Random(1)
    places = [(2 * chance.randrange(100), 2 * chance.randrange(100)) for _ in range(1000)]
    data = update(*(rectangle(x, y, 1, 1, RAW, b"abc\0") for x, y in places))
    framebuffer = Framebuffer(200, 200)
    framebuffer.damage.take()
    NativeDecoder(framebuffer, limits=Limits()).feed(memoryview(data))
    boxes = framebuffer.damage.take()
    assert len(boxes) <= 32
    mask = covered(boxes, 200, 200)
    assert all(mask[y, x] for x, y in places)


def test_bands_of_one_picture_are_one_box() -> None:
    bands = [rectangle(0, y, 30, 10, RAW, bytes(4 * 30 * 10)) for y in range(0, 40, 10)]
    framebuffer = screen(30, 40)
    NativeDecoder(framebuffer, limits=Limits()).feed(memoryview(update(*bands)))
    assert framebuffer.damage.take() == [Box(0, 0, 30, 40)]


def test_more_updates_than_it_keeps_events_for() -> None:
    frames = (rectangle(0, 0, 0, 0, FRAME, FRAME_LAYOUT.pack(i, 0, 0, 0)) for i in range(1000))
    data = b"".join(map(update, frames)) + update() * 1000
    fed = NativeDecoder(screen(1, 1), limits=Limits()).feed(memoryview(data))
    assert (fed.updates, len(fed.events), fed.consumed) == (2000, 2000, len(data))
    assert fed.events[-2:] == [FrameDrawn(Frame(999, 0, 0, 0)), Updated(1, updates=1001)]


def content(chance: random.Random, size: int) -> bytes:
    """Bytes of one of the kinds that a compressor treats differently."""
    kind = chance.randrange(5)
    if kind == 0:
        return chance.randbytes(size)
    if kind == 1:
        part = chance.randbytes(chance.randrange(1, 300))
        return (part * (size // len(part) + 1))[:size]
    if kind == 2:
        return bytes(chance.choices(range(256), weights=[2.0**-i for i in range(256)], k=size))
    out = bytearray(chance.randbytes(10))
    while len(out) < size:
        far = chance.randrange(1, min(len(out), chance.choice((20, 300, 40_000))) + 1)
        out += out[-far:][: chance.randrange(3, 400)]
        out += chance.randbytes(chance.randrange(20) if kind == 3 else 0)
    return bytes(out[:size])


def deflated(chance: random.Random, sizes: list[int]) -> list[bytes]:
    """Pieces of one stream, by zlib with any of its settings, flushed in any of its ways."""
    level, bits, strategy = chance.randrange(10), chance.choice((9, 12, 15)), chance.randrange(5)
    stream = zlib.compressobj(level, zlib.DEFLATED, bits, chance.randrange(1, 10), strategy)
    pieces = []
    for size in sizes:
        data, cut = content(chance, size), chance.randrange(size)
        between = stream.compress(data[:cut]) + stream.flush(chance.choice((0, 1, 2, 3, 5)) or 2)
        end = stream.compress(data[cut:]) + stream.flush(chance.choice((1, 2, 3)))
        pieces.append(between + end)
    return pieces


def painted(kind: type[Decoder], pieces: list[bytes], size: tuple[int, int]) -> tuple[int, bytes]:
    """How many of the pieces it takes, and what they paint together."""
    framebuffer = screen(*size)
    subject = kind(framebuffer, limits=Limits())
    for number, piece in enumerate(pieces):
        try:
            subject.feed(memoryview(update(rectangle(0, 0, *size, ZLIB, sized(piece)))))
        except MalformedRectangleError:
            return number, b""
    return len(pieces), rgb(framebuffer).tobytes()


@given(st.integers(0, 1 << 32))
@settings(max_examples=40, deadline=None)
def test_it_inflates_what_zlib_deflates(seed: int) -> None:
    chance = random.Random(seed)
    size = chance.choice(((7, 5), (60, 41), (300, 70)))
    pieces = deflated(chance, [4 * size[0] * size[1]] * chance.randrange(1, 5))
    assert painted(NativeDecoder, pieces, size) == painted(Decoder, pieces, size)
    assert painted(NativeDecoder, pieces, size)[0] == len(pieces)


@given(st.integers(0, 1 << 32))
@settings(max_examples=40, deadline=None)
def test_what_is_no_stream_is_refused_or_is_what_zlib_makes_of_it(seed: int) -> None:
    """But for the checksum of a stream that ends, and for how early an impossible code shows."""
    chance = random.Random(seed)
    pieces = deflated(chance, [4 * 20 * 15] * 2)
    broken = bytearray(pieces[0])
    for _ in range(chance.choice((1, 1, 3))):
        broken[chance.randrange(min(len(broken), chance.choice((20, 5000))))] ^= (
            1 << chance.randrange(8)
        )
    pieces[0] = bytes(broken)
    count, pixels = painted(NativeDecoder, pieces, (20, 15))
    expected, expected_pixels = painted(Decoder, pieces, (20, 15))
    if count == expected == 2:
        assert pixels == expected_pixels


@pytest.mark.parametrize(
    ("stream", "fine"),
    [
        (b"\x78\x9c\3\0", True),  # an empty block, and then nothing
        (b"\x78\x9d\3\0", False),  # a head whose check fails
        (b"\x79\x9b\3\0", False),  # another method
        (b"\x78\x9c\7", False),  # a block of no kind
        (b"\x78\x9c\1\1\0\1\0", False),  # a stored block with two lengths
        (b"\x78\x9c\5\xff\xff\xff\xff", False),  # more codes than there are
        (b"\x78\x9c\x63\x04\x42\0", False),  # a distance behind the beginning
        (b"\x78\xbb\3\0", False),  # a dictionary that nobody has
    ],
)
def test_streams_made_by_hand(stream: bytes, fine: bool) -> None:
    subject = NativeDecoder(screen(3, 3), limits=Limits())
    data = memoryview(update(rectangle(0, 0, 0, 3, ZLIB, sized(stream))))
    if fine:
        assert subject.feed(data).rectangles == 1
    else:
        with pytest.raises(MalformedRectangleError, match="no zlib stream"):
            subject.feed(data)


@given(st.integers(0, 1 << 32))
@settings(max_examples=50, deadline=None)
def test_damage_taken_now_and_then_is_all_that_was_painted(seed: int) -> None:
    """Exactly that while it is little; of much it is no more than the tiles around it."""
    chance = random.Random(seed)
    framebuffer = Framebuffer(300, 200)
    subject = NativeDecoder(framebuffer, limits=Limits())
    framebuffer.damage.take()
    expected, found = np.zeros((200, 300), np.bool_), np.zeros((200, 300), np.bool_)
    for _ in range(chance.randrange(1, 6)):
        count = chance.choice((1, 3, 40, 200))
        for _ in range(count):
            x, y = chance.randrange(290), chance.randrange(190)
            width, height = chance.randrange(1, 10), chance.randrange(1, 10)
            payload = bytes(4 * width * height)
            subject.feed(memoryview(update(rectangle(x, y, width, height, RAW, payload))))
            expected |= covered([Box(x, y, width, height)], 300, 200)
        if chance.random() < 0.5:
            boxes = framebuffer.damage.take()
            assert len(boxes) <= 32
            found |= covered(boxes, 300, 200)
    found |= covered(framebuffer.damage.take(), 300, 200)
    assert (found >= expected).all()
    assert not framebuffer.damage


class Held(ctypes.Structure):
    """glibc's mallinfo2: what the C library has handed out."""

    NAMES = ("arena", "chunks", "small", "maps", "mapped", "peak", "cached", "used", "free", "top")
    _fields_ = [(name, ctypes.c_size_t) for name in NAMES]


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="the C library does not tell what it holds"
)
def test_a_server_cannot_make_it_hold_much() -> None:
    """Every stream in use, at the largest screen there may be, with damage all over it."""
    mallinfo = ctypes.CDLL(None).mallinfo2
    mallinfo.restype = Held
    pixels = np.zeros((4096, 4096, 4), np.uint8)
    framebuffer = Framebuffer(4096, 4096, allocate=lambda width, height: pixels)
    rows = zlib.compress(bytes(3 * 2048 * 100), 0)[:-4]
    tight = [bytes([stream << 4]) + compact(len(rows)) + rows for stream in range(4)]
    whole = zlib.compressobj(9)
    bomb = whole.compress(bytes(4 * 4096 * 512)) + whole.flush(zlib.Z_SYNC_FLUSH)
    data = update(
        *(rectangle(0, 100 * y, 2048, 100, TIGHT, payload) for y, payload in enumerate(tight)),
        rectangle(0, 0, 4096, 512, ZLIB, sized(bomb)),
        rectangle(0, 0, 64, 64, ZRLE, zrle(b"\1abc")),
        *(rectangle(97 * x % 4096, 89 * x % 4096, 1, 1, RAW, bytes(4)) for x in range(3000)),
    )
    before = mallinfo()
    subject = NativeDecoder(framebuffer, limits=Limits())
    fed = subject.feed(memoryview(data))
    held = mallinfo()
    assert fed.rectangles == 3006
    assert (held.used + held.mapped) - (before.used + before.mapped) < 2 << 20
