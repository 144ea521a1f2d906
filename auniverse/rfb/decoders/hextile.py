"""Hextile: tiles of 16x16 pixels, each raw or like RRE (RFC 6143 §7.7.4)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from auniverse.errors import MalformedRectangleError

from ..framebuffer import Framebuffer
from ..types import Limits, Rectangle
from .pixels import PIECE_WORK, TILE_WORK, canvas
from .walk import Walk

TILE = 16

_RAW, _BACKGROUND, _FOREGROUND, _SUBRECTANGLES, _COLOURED = (1 << bit for bit in range(5))
_PIXEL = 4


class Hextile:
    """Decodes Hextile. Background and foreground carry over from tile to tile."""

    def __init__(self, limits: Limits) -> None:
        self._walk = Walk(TILE, _tile_end)

    def measure(self, data: memoryview, offset: int, rectangle: Rectangle) -> int:
        """Return the payload's length in bytes, less as long as it cannot be told, or `AGAIN`.

        Raises:
            MalformedRectangleError: A subrectangle lies outside of its tile.
        """
        return self._walk.reach(data[offset:], rectangle)

    def paint(
        self, payload: memoryview, rectangle: Rectangle, framebuffer: Framebuffer
    ) -> Iterator[int]:
        """Paint the tiles."""
        self._walk.restart()
        target = canvas(framebuffer, rectangle)
        tiles = _Tiles(payload)
        for y in range(0, rectangle.height, TILE):
            for x in range(0, rectangle.width, TILE):
                yield tiles.paint(target[y : y + TILE, x : x + TILE])


def _tile_end(data: memoryview, start: int, width: int, height: int) -> int:
    """Return where the tile at `start` ends, or how far it must reach to tell more."""
    if len(data) <= start:
        return start + 1
    kind = data[start]
    end = start + 1
    if kind & _RAW:
        return end + _PIXEL * width * height
    end += _PIXEL * (bool(kind & _BACKGROUND) + bool(kind & _FOREGROUND))
    if kind & _SUBRECTANGLES:
        end += 1
        if len(data) < end:
            return end
        size, pieces = 2 + _PIXEL * bool(kind & _COLOURED), end
        end += data[end - 1] * size
        if end <= len(data):
            _check_pieces(
                np.frombuffer(data[pieces:end], np.uint8).reshape(-1, size), width, height
            )
    return end


def _check_pieces(pieces: NDArray[np.uint8], width: int, height: int) -> None:
    """Refuse those that do not lie in their tile; the last two bytes are place and size."""
    place, size = pieces[:, -2], pieces[:, -1]
    outside = (place >> 4) + (size >> 4) >= width
    outside |= (place & 15) + (size & 15) >= height
    if outside.any():
        raise MalformedRectangleError("a subrectangle outside of its tile")


class _Tiles:
    """Reads tiles one after the other; they are whole and right, for they were measured."""

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self._position = 0
        self._background = self._foreground = np.uint32(0)

    def paint(self, tile: NDArray[np.uint32]) -> int:
        """Paint the next tile; return the work that it was."""
        kind, pieces = self._take(1)[0], 0
        if kind & _RAW:
            tile[...] = np.frombuffer(self._take(tile.nbytes), np.uint32).reshape(tile.shape)
            return TILE_WORK
        if kind & _BACKGROUND:
            self._background = self._pixel()
        if kind & _FOREGROUND:
            self._foreground = self._pixel()
        tile[...] = self._background
        if kind & _SUBRECTANGLES:
            pieces = self._take(1)[0]
            for _ in range(pieces):
                self._paint_piece(tile, self._pixel() if kind & _COLOURED else self._foreground)
        return TILE_WORK + PIECE_WORK * pieces

    def _paint_piece(self, tile: NDArray[np.uint32], colour: np.uint32) -> None:
        place, size = self._take(2)
        x, y = place >> 4, place & 15
        tile[y : y + (size & 15) + 1, x : x + (size >> 4) + 1] = colour

    def _pixel(self) -> np.uint32:
        pixel: np.uint32 = np.frombuffer(self._take(_PIXEL), np.uint32)[0]
        return pixel

    def _take(self, count: int) -> memoryview:
        self._position += count
        return self._data[self._position - count : self._position]
