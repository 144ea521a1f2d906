"""The most expensive that a server can say about a screen, encoding by encoding.

Each stream is a function of the screen's width and height (multiples of 64, the width of 1024 or
more); it yields the bytes after the opening, in pieces.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator

from PIL import Image

from auniverse.rfb.decoders.decoder import LONGER
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
    rectangle,
    sized,
    update,
)

from .streams import bomb, compact, noise_tiles, one, stored, zrle_tiles

RRE, CORRE, HEXTILE, TRLE = 2, 4, 5, 15
TIGHT_WIDTH = 2048

Pieces = Iterator[bytes]
Stream = Callable[[int, int], Pieces]


def raw(w: int, h: int) -> Pieces:
    yield one(w, h, RAW, b"")
    yield bytes(4 * w * h)


def raw_then_a_little_more(w: int, h: int) -> Pieces:
    """Each rectangle needs somewhat more room than the one before."""
    for height in (h // 2, h - 40, h - 20, h):
        yield one(w, height, RAW, bytes(4 * w * height))


def zlib_bomb(w: int, h: int) -> Pieces:
    yield one(w, h, ZLIB, sized(bomb(4 * w * h)))


def zlib_that_grows(w: int, h: int) -> Pieces:
    yield one(w, h, ZLIB, sized(stored(bytes(4 * w * h), 60)))


def zlib_too_much(w: int, h: int) -> Pieces:
    yield one(w, h, ZLIB, sized(bomb(8 * w * h)))


def zrle_bomb(w: int, h: int) -> Pieces:
    yield one(w, h, ZRLE, zrle_tiles(w, h, b"\0" + bytes(3 * 4096)))


def zrle_that_grows(w: int, h: int) -> Pieces:
    yield one(w, h, ZRLE, noise_tiles(w, h))


def tight(w: int, h: int, control: bytes, row: int, *, grows: bool) -> Pieces:
    size = row * h
    data = stored(bytes(size), 60) if grows else bomb(size)
    yield update(count=1) + rectangle(0, 0, w, h, TIGHT, control + compact(len(data)))
    yield data


def tight_copy(w: int, h: int) -> Pieces:
    w = min(w, TIGHT_WIDTH)
    # 4 MiB is the most that Tight's length can say.
    yield from tight(w, min(h, 600), b"\0", 3 * w, grows=True)
    yield from tight(w, h, b"\1", 3 * w, grows=False)


def tight_palette(w: int, h: int) -> Pieces:
    w = min(w, TIGHT_WIDTH)
    yield from tight(w, h, b"\x40\1\2" + bytes(9), w, grows=False)


def tight_gradient(w: int, h: int) -> Pieces:
    w = min(w, TIGHT_WIDTH)
    yield from tight(w, min(h, 300), b"\x40\2", 3 * w, grows=False)


def jpeg(w: int, h: int, *, progressive: bool, mode: str = "RGB") -> Pieces:
    file = io.BytesIO()
    subsampling = 0 if mode == "RGB" else -1
    Image.new(mode, (w, h)).save(file, "JPEG", progressive=progressive, subsampling=subsampling)
    data = file.getvalue()
    yield one(w, h, TIGHT, b"\x90" + compact(len(data)) + data)


def jpeg_of_one_scan(w: int, h: int) -> Pieces:
    yield from jpeg(min(w, TIGHT_WIDTH), h, progressive=False)


def jpeg_of_many_scans(w: int, h: int) -> Pieces:
    """All of its coefficients are kept until the last: 6 bytes a pixel, as large as it may be."""
    yield from jpeg(w, min(h, (8 << 20) // 6 // w // 32 * 32), progressive=True)


def jpeg_of_too_many_scans(w: int, h: int) -> Pieces:
    yield from jpeg(min(w, TIGHT_WIDTH), h, progressive=True)


def jpeg_of_four_colours(w: int, h: int) -> Pieces:
    yield from jpeg(min(w, TIGHT_WIDTH), h, progressive=True, mode="CMYK")


def subrectangles(w: int, h: int, encoding: int, place: bytes) -> Pieces:
    """As many as may be: each is one pixel, and takes more bytes than that."""
    piece = b"rgbx" + place
    count = min(w * h, (4 * w * h + LONGER - 8) // len(piece))
    yield one(w, h, encoding, struct.pack(">I4x", count))
    yield piece * count


def rre(w: int, h: int) -> Pieces:
    yield from subrectangles(w, h, RRE, struct.pack(">HHHH", 0, 0, 1, 1))


def corre(w: int, h: int) -> Pieces:
    yield from subrectangles(w, h, CORRE, b"\0\0\1\1")


#: 16x16 pixels as 255 coloured pieces: half as much again as raw.
HEXTILE_TILE = b"\x1e" + b"back" + b"fore" + b"\xff" + b"rgbx\x11\0" * 255


def hextile(w: int, h: int) -> Pieces:
    """As many of those tiles as may be, then empty ones."""
    tiles = w * h // 256
    costly = min(tiles, (4 * w * h + LONGER - tiles) // len(HEXTILE_TILE))
    yield one(w, h, HEXTILE, b"")
    yield HEXTILE_TILE * costly + b"\0" * (tiles - costly)


def hextile_too_long(w: int, h: int) -> Pieces:
    yield one(w, h, HEXTILE, b"")
    yield HEXTILE_TILE * (w * h // 256)


def trle(w: int, h: int) -> Pieces:
    """Runs of one pixel."""
    yield one(w, h, TRLE, b"")
    yield (b"\x80" + b"rgb\0" * 256) * (w * h // 256)


def storm_of_sizes(w: int, h: int) -> Pieces:
    for side in range(40):
        yield update(rectangle(0, 0, w - side, h, DESKTOP_SIZE))


def pointers(w: int, h: int) -> Pieces:
    shape = rectangle(0, 0, 256, 256, CURSOR, bytes(4 * 65536 + 8192))
    for _ in range(8):
        yield update(*[shape] * 40)


def texts(w: int, h: int) -> Pieces:
    for _ in range(200):
        yield b"\3\0\0\0" + sized(bytes(256 * 1024))


def long_texts(w: int, h: int) -> Pieces:
    yield b"\3\0\0\0" + struct.pack(">I", 0x7FFFFFFF)
    for _ in range(400):
        yield bytes(65536)


def bells(w: int, h: int) -> Pieces:
    yield BELL * 60_000


def empty_updates(w: int, h: int) -> Pieces:
    yield update() * 50_000


def empty_rectangles(w: int, h: int) -> Pieces:
    yield update(*[rectangle(0, 0, 0, 0, RAW)] * 20_000)


def copies(w: int, h: int) -> Pieces:
    yield update(*[rectangle(0, 0, 2, 2, COPY_RECT, bytes(4))] * 20_000)


def frames(w: int, h: int) -> Pieces:
    yield update(*[rectangle(0, 0, 0, 0, FRAME, bytes(32))] * 20_000)


#: Cheap enough for a tracer that looks at every piece of memory.
TRACED: tuple[Stream, ...] = (
    *(raw, raw_then_a_little_more),
    *(zlib_bomb, zlib_that_grows, zlib_too_much, zrle_bomb, zrle_that_grows),
    *(tight_copy, tight_palette, tight_gradient),
    *(storm_of_sizes, pointers, texts, long_texts),
    *(bells, empty_updates, empty_rectangles, copies, frames),
)
STREAMS: tuple[Stream, ...] = (
    *TRACED,
    *(rre, corre, hextile, hextile_too_long, trle),
    *(jpeg_of_one_scan, jpeg_of_many_scans, jpeg_of_too_many_scans, jpeg_of_four_colours),
)
#: Those that are refused on a screen of 2048x2048; the others must be read to their end.
REFUSED = {
    *("zlib_too_much", "hextile_too_long", "jpeg_of_too_many_scans", "jpeg_of_four_colours"),
}
