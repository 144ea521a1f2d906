"""ZRLE: tiles of 64x64 pixels, run-length encoded, through one zlib stream (RFC 6143 §7.7.6)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from auniverse.errors import MalformedRectangleError

from ..framebuffer import Framebuffer
from ..types import Limits, Rectangle
from .inflate import Inflater
from .pixels import PACKED, canvas, windows
from .zlib import measure_deflated

TILE = 64

_RAW = 0
_PLAIN_RLE = 128
#: A tile of one colour has a palette of one; these say how many bits an index takes.
_LARGEST_PACKED_PALETTE = 16
_LARGEST_PALETTE = 127
_LONGEST_HEAD = 1 + PACKED * _LARGEST_PALETTE
_LONGEST_TILE = _LONGEST_HEAD + TILE * TILE * (PACKED + 1)
#: Bytes of tiles that are inflated at once.
_PIECE = 1 << 20


class ZRLE:
    """Decodes ZRLE; its stream lives as long as the connection."""

    def __init__(self, limits: Limits) -> None:
        self._inflater = Inflater()

    def measure(self, data: memoryview, offset: int, rectangle: Rectangle) -> int:
        """Return the payload's length in bytes, 4 as long as it cannot be told.

        Raises:
            MalformedRectangleError: It is impossibly long.
        """
        return measure_deflated(data, offset, _longest_tiles(rectangle))

    def decode(self, payload: memoryview, rectangle: Rectangle, framebuffer: Framebuffer) -> None:
        """Inflate and paint the tiles.

        Raises:
            MalformedRectangleError: They are not what tiles of this rectangle can be.
        """
        self._inflater.begin(payload[4:])
        reader = _Tiles(self._inflater, min(_PIECE, _longest_tiles(rectangle) + 1))
        target = canvas(framebuffer, rectangle)
        for y in range(0, rectangle.height, TILE):
            for x in range(0, rectangle.width, TILE):
                reader.paint(target[y : y + TILE, x : x + TILE])
        reader.end()
        self._inflater.end()


def _longest_tiles(rectangle: Rectangle) -> int:
    """Return the most bytes that tiles can take: runs of one pixel, and palettes."""
    tiles = -(-rectangle.width // TILE) * -(-rectangle.height // TILE)
    return tiles * _LONGEST_HEAD + rectangle.width * rectangle.height * (PACKED + 1)


class _Tiles:
    """Reads tiles one after the other, and never has many of them inflated."""

    def __init__(self, inflater: Inflater, piece: int) -> None:
        self._inflater = inflater
        self._piece = piece
        self._data = inflater.read(piece)
        self._windows = windows(self._data)
        self._more = len(self._data) == piece
        self.position = 0

    def _refill(self) -> None:
        """Make sure that the next tile, if it is one, lies whole in the data."""
        if self._more and len(self._data) - self.position < _LONGEST_TILE:
            piece = self._inflater.read(self._piece)
            self._data = self._data[self.position :] + piece
            self._windows = windows(self._data)
            self._more = len(piece) == self._piece
            self.position = 0

    def end(self) -> None:
        """Make sure that no bytes are left, as far as they are inflated.

        Raises:
            MalformedRectangleError: There are some.
        """
        if self.position != len(self._data):
            raise MalformedRectangleError(
                f"{len(self._data) - self.position} bytes after its tiles"
            )

    def paint(self, tile: NDArray[np.uint32]) -> None:
        self._refill()
        kind = self._data[self._take(1)]
        if kind == _RAW:
            tile[...] = self._colours(tile.size).reshape(tile.shape)
        elif kind <= _LARGEST_PACKED_PALETTE:
            palette = self._colours(kind)
            tile[...] = palette[0] if kind == 1 else self._packed(palette, *tile.shape)
        elif kind == _PLAIN_RLE:
            tile[...] = self._plain_runs(tile.size).reshape(tile.shape)
        elif kind >= _PLAIN_RLE + 2:
            palette = self._colours(kind - _PLAIN_RLE)
            tile[...] = self._palette_runs(palette, tile.size).reshape(tile.shape)
        else:
            raise MalformedRectangleError(f"a tile of kind {kind}")

    def _take(self, count: int) -> int:
        """Step over `count` bytes; return where they begin."""
        start = self.position
        if start + count > len(self._data):
            raise MalformedRectangleError("its tiles end early")
        self.position += count
        return start

    def _colours(self, count: int) -> NDArray[np.uint32]:
        start = self._take(PACKED * count)
        return self._windows[start : self.position : PACKED]

    def _packed(self, palette: NDArray[np.uint32], height: int, width: int) -> NDArray[np.uint32]:
        """Indices of 1, 2 or 4 bits; every row begins with a byte of its own."""
        bits = 1 if len(palette) == 2 else 2 if len(palette) <= 4 else 4
        row = -(-width * bits // 8)
        start = self._take(height * row)
        packed = np.frombuffer(self._data, np.uint8, height * row, start).reshape(height, row, 1)
        shifts = np.arange(8 - bits, -1, -bits, dtype=np.uint8)
        indices = (packed >> shifts & (1 << bits) - 1).reshape(height, -1)[:, :width]
        return _look_up(palette, indices)

    def _plain_runs(self, size: int) -> NDArray[np.uint32]:
        starts, lengths = [], []
        while size > 0:
            starts.append(self._take(PACKED))
            lengths.append(self._run_length())
            size -= lengths[-1]
        return _repeat(self._windows[starts], lengths, size)

    def _palette_runs(self, palette: NDArray[np.uint32], size: int) -> NDArray[np.uint32]:
        indices, lengths = [], []
        while size > 0:
            index = self._data[self._take(1)]
            indices.append(index & 127)
            lengths.append(self._run_length() if index & 128 else 1)
            size -= lengths[-1]
        return _repeat(_look_up(palette, np.array(indices)), lengths, size)

    def _run_length(self) -> int:
        """One more than the sum of bytes up to the first that is not 255."""
        length = 1
        while (more := self._data[self._take(1)]) == 255:
            length += 255
        return length + more


def _look_up(palette: NDArray[np.uint32], indices: NDArray[np.integer]) -> NDArray[np.uint32]:
    if indices.max(initial=0) >= len(palette):
        raise MalformedRectangleError(f"colour {indices.max()} of a palette of {len(palette)}")
    return palette.take(indices)


def _repeat(colours: NDArray[np.uint32], lengths: list[int], left: int) -> NDArray[np.uint32]:
    if left < 0:
        raise MalformedRectangleError(f"a run goes {-left} pixels past its tile")
    return np.repeat(colours, lengths)
