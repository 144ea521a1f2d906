"""Streams that may be looped for ever, drawn by numpy: what N sessions are fed with.

The zlib ones are flushed so that no update refers to an earlier one (Z_FULL_FLUSH); else a replayer
that begins again would break the client's zlib stream.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from auniverse.rfb import RGBX, Box, Encoding

from .streams import Stream

WIDTH, HEIGHT = 1024, 768
#: The most pixels of one rectangle, as real servers split them.
LARGEST = 65536

Pixels = NDArray[np.uint8]
#: The boxes that change with one update, and the picture after it.
Update = tuple[list[Box], Pixels]

_NAME = b"replayed"
_INIT = struct.pack(">HH", WIDTH, HEIGHT) + RGBX.pack() + struct.pack(">I", len(_NAME)) + _NAME
_SCREEN = Box(0, 0, WIDTH, HEIGHT)


def _tiny() -> Iterable[Update]:
    """A caret that blinks: some 60 bytes."""
    for blink in range(8):
        picture = _background()
        picture[400:411, 300:314] = 40 * (blink % 2)
        yield [Box(300, 400, 14, 11)], picture


def _desktop() -> Iterable[Update]:
    """Somebody types: a few words of text, some of them elsewhere; about 1 KB."""
    rng = np.random.default_rng(1)
    picture = _background()
    glyphs = rng.random((26, 16, 8, 1)) < 0.3
    for _ in range(60):
        boxes = []
        for _ in range(4):
            x, y = 8 * int(rng.integers(0, 110)), 16 * int(rng.integers(0, 47))
            word = np.hstack(glyphs[rng.integers(0, 26, 10)])
            picture[y : y + 16, x : x + 80] = np.where(word, 0, 255)
            boxes.append(Box(x, y, 80, 16))
        yield boxes, picture


def _game() -> Iterable[Update]:
    """Thirty sprites over a landscape, in some 190 rectangles: about 500 KB of pixels."""
    rng = np.random.default_rng(2)
    background = _background()
    looks = np.repeat(np.repeat(rng.integers(0, 256, (30, 12, 12, 4)), 4, 1), 4, 2).astype(np.uint8)
    place = rng.integers(0, (WIDTH - 64, HEIGHT - 64), (30, 2))
    speed = rng.integers(-7, 8, (30, 2))
    for _ in range(24):
        before = place.copy()
        place = np.clip(place + speed, 0, (WIDTH - 64, HEIGHT - 64))
        picture = background.copy()
        for look, (x, y) in zip(looks, place.tolist(), strict=True):
            picture[y : y + 48, x : x + 48] = look
        boxes = []
        for (x, y), (old_x, old_y) in zip(place.tolist(), before.tolist(), strict=True):
            left, top = min(x, old_x), min(y, old_y)
            width, height = 48 + abs(x - old_x), 48 + abs(y - old_y)
            rows = -(-height // 6)
            boxes += [
                Box(left, at, width, min(rows, top + height - at))
                for at in range(top, top + height, rows)
            ]
        yield boxes, picture


def fraction(share: float) -> Stream:
    """Return a raw stream of which every update changes so large a part of the screen."""
    rng = np.random.default_rng(3)
    rows = max(1, round(share * HEIGHT))
    updates = []
    for top in [int(rng.integers(0, HEIGHT - rows + 1)) for _ in range(4)]:
        picture = rng.integers(0, 256, (HEIGHT, WIDTH, 4), np.uint8)
        updates.append(([Box(0, top, WIDTH, rows)], picture))
    return _stream(f"{share:.0%} raw", updates, Encoding.RAW)


def screenfuls() -> Stream:
    """Return a zlib stream whose every update is all of the screen: much work, few bytes."""
    return _stream("screenfuls", [([_SCREEN], picture) for _, picture in _game()], Encoding.ZLIB)


def _background() -> Pixels:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack((x // 4, y // 3, (x ^ y) // 64 * 16, 0 * x), -1).astype(np.uint8)


def _split(box: Box) -> Iterable[Box]:
    rows = max(1, LARGEST // box.width)
    for top in range(box.y, box.y + box.height, rows):
        yield Box(box.x, top, box.width, min(rows, box.y + box.height - top))


def _stream(name: str, updates: Iterable[Update], encoding: int) -> Stream:
    deflate = zlib.compressobj(6)

    def encode(boxes: list[Box], picture: Pixels) -> bytes:
        pieces = [box for large in boxes for box in _split(large)]
        message = [struct.pack(">BxH", 0, len(pieces))]
        for number, (x, y, width, height) in enumerate(pieces, 1):
            data = picture[y : y + height, x : x + width].tobytes()
            if encoding == Encoding.ZLIB:
                flush = zlib.Z_SYNC_FLUSH if number < len(pieces) else zlib.Z_FULL_FLUSH
                data = deflate.compress(data) + deflate.flush(flush)
                data = struct.pack(">I", len(data)) + data
            message += [struct.pack(">HHHHi", x, y, width, height, encoding), data]
        return b"".join(message)

    messages = [encode([_SCREEN], _background())]
    messages += [encode(boxes, picture) for boxes, picture in updates]
    return Stream(name, _INIT, tuple(messages), (Encoding.ZLIB, Encoding.RAW), True)


#: The streams by name. All can be decoded by asyncvnc, which knows Raw and Zlib.
WORKLOADS: dict[str, Callable[[], Stream]] = {
    "tiny": lambda: _stream("tiny", _tiny(), Encoding.ZLIB),
    "desktop": lambda: _stream("desktop", _desktop(), Encoding.ZLIB),
    "raw": lambda: _stream("raw", _game(), Encoding.RAW),
    "zlib": lambda: _stream("zlib", _game(), Encoding.ZLIB),
}
