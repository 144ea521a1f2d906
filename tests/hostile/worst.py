"""The most expensive that a server can say about one screen, encoding by encoding."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator

from PIL import Image

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
    rectangle,
    sized,
    update,
)

from .streams import bomb, compact, noise_tiles, one, stored, zrle_tiles

WIDTH, HEIGHT = 4096, 2048
SCREEN = 4 * WIDTH * HEIGHT
TIGHT_WIDTH = 2048
RAW_SCREEN = bytes(SCREEN)
RRE, CORRE, HEXTILE, TRLE = 2, 4, 5, 15
#: Bytes of one rectangle that are sent at most: what is longer is refused long before.
LONGEST = 3 * SCREEN


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


def pieces(encoding: int, place: bytes) -> Iterator[bytes]:
    """RRE of as many subrectangles as may be: each is one pixel, and longer than that."""
    piece = b"rgbx" + place
    least, most = 1, WIDTH * HEIGHT
    count = min(most, LONGEST // len(piece))
    assert least < count
    yield one(WIDTH, HEIGHT, encoding, struct.pack(">I4x", count))
    yield piece * count


def rre() -> Iterator[bytes]:
    yield from pieces(RRE, struct.pack(">HHHH", 0, 0, 1, 1))


def corre() -> Iterator[bytes]:
    yield from pieces(CORRE, b"\0\0\1\1")


def hextile() -> Iterator[bytes]:
    """Tiles of 255 coloured pieces, half as much again as the tiles raw."""
    tile = b"\x1e" + b"back" + b"fore" + b"\xff" + b"rgbx\x11\0" * 255
    yield one(WIDTH, HEIGHT, HEXTILE, b"")
    yield tile * min(WIDTH * HEIGHT // 256, LONGEST // len(tile))


def trle() -> Iterator[bytes]:
    """Runs of one pixel."""
    yield one(WIDTH, HEIGHT, TRLE, b"")
    yield (b"\x80" + b"rgb\0" * 256) * (WIDTH * HEIGHT // 256)


def jpeg(*, progressive: bool, mode: str = "RGB") -> Iterator[bytes]:
    """Lossy pictures as large as Tight allows. A progressive one is decoded all at once."""
    picture = Image.new(mode, (TIGHT_WIDTH, HEIGHT), None)
    file = io.BytesIO()
    picture.save(file, "JPEG", progressive=progressive, subsampling=0 if mode == "RGB" else -1)
    data = file.getvalue()
    yield one(TIGHT_WIDTH, HEIGHT, TIGHT, b"\x90" + compact(len(data)))
    yield data


def jpeg_of_one_scan() -> Iterator[bytes]:
    yield from jpeg(progressive=False)


def jpeg_of_many_scans() -> Iterator[bytes]:
    yield from jpeg(progressive=True)


def jpeg_of_four_colours() -> Iterator[bytes]:
    yield from jpeg(progressive=True, mode="CMYK")


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
    *(rre, corre, hextile, trle),
    *(jpeg_of_one_scan, jpeg_of_many_scans, jpeg_of_four_colours),
    *(storm_of_sizes, pointers, texts, long_texts),
    *(bells, empty_updates, empty_rectangles, copies, frames),
)

