"""Views that let numpy move pixels in one go."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..framebuffer import Framebuffer
from ..types import Rectangle

#: Bytes of one packed pixel: R, G, B. It is ZRLE's CPIXEL and Tight's TPIXEL for our pixel format
#: (RFC 6143 §7.7.5).
PACKED = 3

#: What Python takes for a tile, for a piece of one colour and for a run of it, as if it were so
#: many pixels of an inflated rectangle.
TILE_WORK, PIECE_WORK, RUN_WORK = 1024, 256, 64
#: Pixels that are inflated at once, which takes about a millisecond; beside the screen itself no
#: other needs to be whole.
BAND = 64 * 1024
#: Pixels that are copied or filled at once, in as long.
COPIED = 512 * 1024


def bands(rectangle: Rectangle, pixels: int = BAND) -> Iterator[Rectangle]:
    """Cut a rectangle into bands of whole rows and at most so many pixels (or one row)."""
    x, y, width, height, encoding = rectangle
    rows = max(1, pixels // max(width, 1))
    for top in range(0, height, rows):
        yield Rectangle(x, y + top, width, min(rows, height - top), encoding)


def canvas(framebuffer: Framebuffer, rectangle: Rectangle) -> NDArray[np.uint32]:
    """Return the pixels of a rectangle, writable, shape (height, width), one integer each."""
    x, y, width, height, _ = rectangle
    return framebuffer.pixels.view(np.uint32)[y : y + height, x : x + width, 0]


def fill(target: NDArray[np.uint32], colour: np.uint32) -> Iterator[int]:
    """Paint one colour, in bands; yields as `Painter.paint` does."""
    rows = max(1, COPIED // max(target.shape[1], 1))
    for y in range(0, len(target), rows):
        if y:
            yield COPIED
        target[y : y + rows] = colour


def windows(packed: bytes | memoryview) -> NDArray[np.uint32]:
    """Return, for each byte, the pixel that begins there, as `canvas` holds pixels.

    Three bytes are read as four: X, which means nothing, is the first byte of the pixel that
    follows. That makes numpy copy whole integers, some 15 times as fast as three bytes each.
    """
    padded = b"".join((packed, b"\0"))
    return np.ndarray(max(len(padded) - PACKED, 0), np.uint32, padded, strides=(1,))
