"""A hostile server may cost two framebuffers and 16 MiB, whatever it sends."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

import pytest

from tests.rfb.wire import (
    BELL,
    COPY_RECT,
    CURSOR,
    DESKTOP_SIZE,
    FRAME,
    RAW,
    TIGHT,
    ZLIB,
    ZRLE,
    noise,
    opening,
    rectangle,
    sized,
    update,
)

from .cost import SLACK, tell
from .streams import bomb, compact, noise_tiles, one, stored, zrle_tiles

WIDTH, HEIGHT = 4096, 2048
SCREEN = 4 * WIDTH * HEIGHT
TIGHT_WIDTH = 2048
RAW_SCREEN = bytes(SCREEN)


def raw() -> Iterator[bytes]:
    yield one(WIDTH, HEIGHT, RAW, b"")
    yield RAW_SCREEN


def raw_then_a_little_more() -> Iterator[bytes]:
    """Each rectangle needs somewhat more room than the one before."""
    for height in (HEIGHT // 2, HEIGHT - 40, HEIGHT - 20, HEIGHT):
        yield one(WIDTH, height, RAW, RAW_SCREEN[: 4 * WIDTH * height])


def zlib_bomb() -> Iterator[bytes]:
    yield one(WIDTH, HEIGHT, ZLIB, sized(bomb(SCREEN)))


def zlib_that_grows() -> Iterator[bytes]:
    yield one(WIDTH, HEIGHT, ZLIB, sized(stored(RAW_SCREEN, 60)))


def zlib_too_much() -> Iterator[bytes]:
    yield one(WIDTH, HEIGHT, ZLIB, sized(bomb(2 * SCREEN)))


def zrle_bomb() -> Iterator[bytes]:
    yield one(WIDTH, HEIGHT, ZRLE, zrle_tiles(WIDTH, HEIGHT, b"\0" + bytes(3 * 4096)))


def zrle_that_grows() -> Iterator[bytes]:
    yield one(WIDTH, HEIGHT, ZRLE, noise_tiles(WIDTH, HEIGHT))


def tight(control: bytes, row: int, height: int, *, grows: bool) -> Iterator[bytes]:
    size = row * height
    data = stored(bytes(size), 60) if grows else bomb(size)
    head = rectangle(0, 0, TIGHT_WIDTH, height, TIGHT, control + compact(len(data)))
    yield struct.pack(">BxH", 0, 1) + head
    yield data


def tight_copy() -> Iterator[bytes]:
    # 4 MiB is the most that Tight's length can say.
    yield from tight(b"\0", 3 * TIGHT_WIDTH, 600, grows=True)
    yield from tight(b"\1", 3 * TIGHT_WIDTH, HEIGHT, grows=False)


def tight_palette() -> Iterator[bytes]:
    yield from tight(b"\x40\1\2" + bytes(9), TIGHT_WIDTH, HEIGHT, grows=False)


def tight_gradient() -> Iterator[bytes]:
    yield from tight(b"\x40\2", 3 * TIGHT_WIDTH, 300, grows=False)


def storm_of_sizes() -> Iterator[bytes]:
    for side in range(40):
        yield update(rectangle(0, 0, WIDTH - side, HEIGHT, DESKTOP_SIZE))


def pointers() -> Iterator[bytes]:
    shape = rectangle(0, 0, 256, 256, CURSOR, bytes(4 * 65536 + 8192))
    for _ in range(8):
        yield update(*[shape] * 40)


def texts() -> Iterator[bytes]:
    for _ in range(200):
        yield b"\3\0\0\0" + sized(bytes(256 * 1024))


def long_texts() -> Iterator[bytes]:
    yield b"\3\0\0\0" + struct.pack(">I", 0x7FFFFFFF)
    for _ in range(400):
        yield RAW_SCREEN[:65536]


def bells() -> Iterator[bytes]:
    yield BELL * 60_000


def empty_updates() -> Iterator[bytes]:
    yield update() * 50_000


def empty_rectangles() -> Iterator[bytes]:
    yield update(*[rectangle(0, 0, 0, 0, RAW)] * 20_000)


def copies() -> Iterator[bytes]:
    yield update(*[rectangle(0, 0, 2, 2, COPY_RECT, bytes(4))] * 20_000)


def frames() -> Iterator[bytes]:
    yield update(*[rectangle(0, 0, 0, 0, FRAME, bytes(32))] * 20_000)


STREAMS: tuple[Callable[[], Iterator[bytes]], ...] = (
    *(raw, raw_then_a_little_more),
    *(zlib_bomb, zlib_that_grows, zlib_too_much, zrle_bomb, zrle_that_grows),
    *(tight_copy, tight_palette, tight_gradient),
    *(storm_of_sizes, pointers, texts, long_texts),
    *(bells, empty_updates, empty_rectangles, copies, frames),
)


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.__name__)
def test_two_framebuffers_and_16_mebibytes_are_all_it_costs(
    stream: Callable[[], Iterator[bytes]],
) -> None:
    parts = [opening(WIDTH, HEIGHT), *stream()]
    told = tell(parts, trace=True, piece=256 * 1024)
    assert told.connection.framebuffer is not None
    assert told.peak <= 2 * SCREEN + SLACK


@pytest.mark.parametrize("piece", [1, 1000])
def test_a_rectangle_that_trickles_in_costs_what_it_costs_at_once(piece: int) -> None:
    """Slow-loris in the middle of an update: neither memory nor a look at the bytes each time."""
    payload = noise(4 * 40 * 40)
    parts = [opening(40, 40), one(40, 40, RAW, payload)]
    fed = 0

    def count(*args: object) -> None:
        nonlocal fed
        fed += 1

    told = tell(parts[:1], trace=True)
    decoder = told.connection._decoder
    assert decoder is not None
    feed = decoder.feed
    decoder.feed = lambda data: (count(), feed(data))[1]  # type: ignore[method-assign,func-returns-value]
    told = tell(parts[1:], piece=piece, connection=told.connection, trace=True)
    assert told.fault is None
    assert told.connection.updates == 1
    assert fed <= 4
    assert told.peak < 100_000
