"""Zlib: raw pixels through one zlib stream (encoding 6 of the IANA registry)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from auniverse.errors import MalformedRectangleError

from ..framebuffer import Framebuffer
from ..types import Limits, Rectangle
from .inflate import Inflater, longest_deflated
from .pixels import BAND, bands


class Zlib:
    """Decodes Zlib; its stream lives as long as the connection."""

    def __init__(self, limits: Limits) -> None:
        self._inflater = Inflater()

    def measure(self, data: memoryview, offset: int, rectangle: Rectangle) -> int:
        """Return the payload's length in bytes, 4 as long as it cannot be told.

        Raises:
            MalformedRectangleError: It is impossibly long.
        """
        return measure_deflated(data, offset, 4 * rectangle.width * rectangle.height)

    def paint(
        self, payload: memoryview, rectangle: Rectangle, framebuffer: Framebuffer
    ) -> Iterator[int]:
        """Inflate and paint it.

        Raises:
            MalformedRectangleError: It does not inflate to the rectangle's pixels.
        """
        inflater = self._inflater
        inflater.begin(payload[4:])
        for band in bands(rectangle):
            if band.y > rectangle.y:
                yield BAND
            x, y, width, height, _ = band
            size = 4 * width * height
            pixels = np.frombuffer(inflater.read(size, size), np.uint8)
            framebuffer.pixels[y : y + height, x : x + width] = pixels.reshape(height, width, 4)
        inflater.end()


def measure_deflated(data: memoryview, offset: int, inflated: int) -> int:
    """Return the length of deflated data with a length of 4 bytes in front, that included.

    Args:
        data: What has arrived.
        offset: Where the length is or will be.
        inflated: The most bytes it may hold.

    Raises:
        MalformedRectangleError: It is longer than that many bytes can make it.
    """
    if len(data) - offset < 4:
        return 4
    length = int.from_bytes(data[offset : offset + 4], "big")
    if length > longest_deflated(inflated):
        raise MalformedRectangleError(f"{length} deflated bytes for at most {inflated}")
    return 4 + length
