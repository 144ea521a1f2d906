"""Measuring what can only be measured by walking through it, tile by tile."""

from __future__ import annotations

from collections.abc import Callable

from ..types import Rectangle

#: What is said instead of a length: it could be told, but others should have their turn first.
AGAIN = -1
#: Tiles that are measured in one go.
AT_ONCE = 64


class Walk:
    """How far into a payload that is still arriving its tiles have been measured.

    A payload is looked at again with every piece of it that arrives. Beginning from its front
    each time would make a slow sender cost the square of what it sends.

    Args:
        tile: The side of a tile in pixels.
        step: Given the payload, where a tile begins in it, the tile's width and height, returns
            where the tile ends. What it learns of the tile for the next ones it may keep if the
            tile is whole; of one that is not it returns how far it must reach to tell more.

    Attributes:
        left: Tiles that may still be measured in this go. A step that takes as long as many others
            takes as many away.
    """

    def __init__(self, tile: int, step: Callable[[memoryview, int, int, int], int]) -> None:
        self._tile = tile
        self._step = step
        self.left = 0
        self.restart()

    def restart(self) -> None:
        """Forget the payload; the next one is another."""
        self._at = 0  # where the tile begins in the payload
        self._x = self._y = 0  # and in the rectangle

    def reach(self, payload: memoryview, rectangle: Rectangle) -> int:
        """Return the payload's length, or the length that it must have to tell more, or `AGAIN`."""
        width, height = rectangle.width, rectangle.height
        if width == 0:
            return 0
        tile = self._tile
        self.left = AT_ONCE
        while self.left > 0:
            self.left -= 1
            if self._y >= height:
                return self._at
            size = min(tile, width - self._x), min(tile, height - self._y)
            end = self._step(payload, self._at, *size)
            if end > len(payload):
                return end
            self._at = end
            self._x += tile
            if self._x >= width:
                self._x, self._y = 0, self._y + tile
        return AGAIN
