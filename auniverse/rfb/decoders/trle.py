"""TRLE: tiles of 16x16 pixels, run-length encoded (RFC 6143 §7.7.5)."""

from __future__ import annotations

from collections.abc import Iterator

from auniverse.errors import MalformedRectangleError

from ..framebuffer import Framebuffer
from ..types import Limits, Rectangle
from .pixels import PACKED, canvas
from .tiles import (
    LARGEST_PACKED_PALETTE,
    LARGEST_PALETTE,
    PLAIN_RUNS,
    RAW,
    REUSED_PACKED,
    REUSED_RUNS,
    Tiles,
    check_reuse,
    packed_row,
    reader_of,
)
from .walk import Walk

TILE = 16
#: Bytes of runs that are stepped over in the time of a tile without.
_RUN_BYTES = 16
#: By kind of tile, how large a palette it takes over.
_REUSABLE = {REUSED_PACKED: LARGEST_PACKED_PALETTE, REUSED_RUNS: LARGEST_PALETTE}


class TRLE:
    """Decodes TRLE; a tile may reuse the palette of the one before it."""

    def __init__(self, limits: Limits) -> None:
        self._walk = Walk(TILE, self._tile_end)
        self._colours = 0  # in the palette of the tile before the one that is being measured

    def measure(self, data: memoryview, offset: int, rectangle: Rectangle) -> int:
        """Return the payload's length in bytes, less as long as it cannot be told, or `AGAIN`.

        Raises:
            MalformedRectangleError: A tile is of no known kind, has a run that is too long, or
                takes over a palette that there is not.
        """
        return self._walk.reach(data[offset:], rectangle)

    def paint(
        self, payload: memoryview, rectangle: Rectangle, framebuffer: Framebuffer
    ) -> Iterator[int]:
        """Paint the tiles.

        Raises:
            MalformedRectangleError: They are not what tiles of this rectangle can be.
        """
        self._walk.restart()
        self._colours = 0
        reader = Tiles(reader_of(payload), len(payload), reuse=True)
        target = canvas(framebuffer, rectangle)
        for y in range(0, rectangle.height, TILE):
            for x in range(0, rectangle.width, TILE):
                yield reader.paint(target[y : y + TILE, x : x + TILE])

    def _tile_end(self, data: memoryview, start: int, width: int, height: int) -> int:
        """Return where the tile at `start` ends, or how far it must reach to tell more."""
        if len(data) <= start:
            return start + 1
        kind, at = data[start], start + 1
        colours = self._colours
        if kind == RAW:
            return at + PACKED * width * height
        if kind == PLAIN_RUNS:
            return self._runs_end(data, at, width * height, PACKED)
        if kind == 1:
            return at + PACKED
        if kind in _REUSABLE:
            check_reuse(colours, _REUSABLE[kind])
        else:
            if LARGEST_PACKED_PALETTE < kind < PLAIN_RUNS:
                raise MalformedRectangleError(f"a tile of kind {kind}")
            colours = kind % PLAIN_RUNS
            at += PACKED * colours
        if kind < PLAIN_RUNS:
            end = at + height * packed_row(colours, width)[1]
        else:
            end = self._runs_end(data, at, width * height, 1)
        if end <= len(data):
            self._colours = colours
        return end

    def _runs_end(self, data: memoryview, at: int, pixels: int, colour: int) -> int:
        end = _runs_end(data, at, pixels, colour)
        self._walk.left -= (end - at) // _RUN_BYTES
        return end


def _runs_end(data: memoryview, at: int, pixels: int, colour: int) -> int:
    """Step over runs until they make up `pixels`.

    Args:
        data: The tiles.
        at: Where the first run begins.
        pixels: Of the tile.
        colour: Bytes of a colour: a pixel, or an index whose highest bit says that it has a run.

    Raises:
        MalformedRectangleError: They make up more.
    """
    while pixels > 0:
        head = at
        at += colour
        if at > len(data):
            return at
        pixels -= 1
        more = 255 if colour == PACKED or data[head] & 128 else 0
        while more == 255 and pixels >= 0:
            at += 1
            if at > len(data):
                return at
            more = data[at - 1]
            pixels -= more
    if pixels < 0:
        raise MalformedRectangleError(f"a run goes {-pixels} pixels past its tile")
    return at
