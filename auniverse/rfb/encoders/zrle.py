"""ZRLE (RFC 6143 §7.7.6): tiles of 64x64 pixels through one stream of deflate.

Of its five kinds of tile we send three: solid, packed palette and raw. Runs are left to deflate,
which finds them anyway, and a packed palette is what a numpy decoder unpacks fastest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..types import Encoding, PixelFormat
from .encoder import Encoder
from .pixels import Wire, translate
from .zlib import Stream

_SIDE = 64
_RAW = b"\x00"
_SOLID = b"\x01"
_COLOURS = 16
_SAMPLE = 67


class ZRLE(Encoder):
    """One stream for all rectangles of a connection, apart from that of Zlib."""

    encoding: ClassVar[Encoding] = Encoding.ZRLE

    def __init__(self) -> None:
        self._stream = Stream()

    def encode(self, pixels: NDArray[np.uint8], form: PixelFormat) -> bytes | memoryview:
        """Return the tiles, compressed."""
        wire, span = translate(pixels, form), cpixel(form)
        return self._stream.pack(b"".join(_tile(tile, span) for tile in _tiles(wire)))


def cpixel(form: PixelFormat) -> slice:
    """Return which bytes of a pixel are sent: three of four, if they hold all its colour."""
    size = form.bits_per_pixel // 8
    if size != 4 or form.depth > 24:
        return slice(size)
    used = 0
    for peak, shift in zip(form[4:7], form[7:10], strict=True):
        used |= peak << shift
    memory = used.to_bytes(4, "big" if form.big_endian else "little")
    # Where either half would do, the first three bytes are what all servers send.
    if not memory[3]:
        return slice(3)
    return slice(4) if memory[0] else slice(1, 4)


def _tiles(wire: Wire) -> Iterator[Wire]:
    height, width = wire.shape
    for y in range(0, height, _SIDE):
        for x in range(0, width, _SIDE):
            yield wire[y : y + _SIDE, x : x + _SIDE]


def _tile(tile: Wire, span: slice) -> bytes:
    flat = tile.ravel()
    if (flat == flat[0]).all():
        return _SOLID + _cpixels(flat[:1], span)
    # A sample spares most tiles of a photo the search through all their pixels.
    if len(np.unique(flat[::_SAMPLE])) <= _COLOURS:
        palette = np.unique(flat)
        if len(palette) <= _COLOURS:
            colours = bytes([len(palette)]) + _cpixels(palette, span)
            packed = colours + _pack(np.searchsorted(palette, tile).astype(np.uint8), len(palette))
            if len(packed) <= flat.size * (span.stop - (span.start or 0)):
                return packed
    return _RAW + _cpixels(flat, span)


def _pack(indices: NDArray[np.uint8], colours: int) -> bytes:
    """Pack palette indices, shape (height, width), from the left; each row fills whole bytes."""
    bits = 1 if colours == 2 else 2 if colours <= 4 else 4
    per_byte = 8 // bits
    height, width = indices.shape
    packed = np.zeros((height, -(-width // per_byte)), np.uint8)
    for place in range(per_byte):
        column = indices[:, place::per_byte]
        packed[:, : column.shape[1]] |= column << (8 - bits * (place + 1))
    return packed.tobytes()


def _cpixels(flat: Wire, span: slice) -> bytes:
    return flat.view(np.uint8).reshape(len(flat), -1)[:, span].tobytes()
