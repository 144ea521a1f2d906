"""ZRLE: tiles of 64x64 pixels, run-length encoded, through one zlib stream (RFC 6143 §7.7.6)."""

from __future__ import annotations

from collections.abc import Iterator

from ..framebuffer import Framebuffer
from ..types import Limits, Rectangle
from .inflate import Inflater
from .pixels import PACKED, canvas
from .tiles import LARGEST_PALETTE, Tiles
from .zlib import measure_deflated

TILE = 64


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

    def paint(
        self, payload: memoryview, rectangle: Rectangle, framebuffer: Framebuffer
    ) -> Iterator[int]:
        """Inflate and paint the tiles.

        Raises:
            MalformedRectangleError: They are not what tiles of this rectangle can be.
        """
        self._inflater.begin(payload[4:])
        reader = Tiles(self._inflater.read, _longest_tiles(rectangle))
        target = canvas(framebuffer, rectangle)
        for y in range(0, rectangle.height, TILE):
            for x in range(0, rectangle.width, TILE):
                yield reader.paint(target[y : y + TILE, x : x + TILE])
        reader.end()
        self._inflater.end()


def _longest_tiles(rectangle: Rectangle) -> int:
    """Return the most bytes that tiles can take: runs of one pixel, and palettes."""
    tiles = -(-rectangle.width // TILE) * -(-rectangle.height // TILE)
    head = 1 + PACKED * LARGEST_PALETTE
    return tiles * head + rectangle.width * rectangle.height * (PACKED + 1)
