"""CopyRect: pixels that are on the screen already (RFC 6143 §7.7.2)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from auniverse.errors import MalformedRectangleError

from ..framebuffer import Framebuffer
from ..types import Limits, Rectangle
from .pixels import COPIED, bands

_SOURCE = struct.Struct(">HH")


class CopyRect:
    """Decodes CopyRect."""

    def __init__(self, limits: Limits) -> None:
        pass

    def measure(self, data: memoryview, offset: int, rectangle: Rectangle) -> int:
        """Return the payload's length in bytes."""
        return _SOURCE.size

    def paint(
        self, payload: memoryview, rectangle: Rectangle, framebuffer: Framebuffer
    ) -> Iterator[int]:
        """Copy; the two places may overlap: no row is overwritten before its turn.

        Raises:
            MalformedRectangleError: The source lies off the screen.
        """
        x, y, width, height, _ = rectangle
        left, top = _SOURCE.unpack(payload)
        if not framebuffer.contains((left, top, width, height)):
            raise MalformedRectangleError(f"copied from ({left}, {top}), off the screen")
        pixels, pieces = framebuffer.pixels, [*bands(rectangle, COPIED)]
        if top < y:
            pieces.reverse()
        for number, band in enumerate(pieces):
            if number:
                yield COPIED
            start = top + band.y - y
            source = pixels[start : start + band.height, left : left + width]
            pixels[band.y : band.y + band.height, x : x + width] = source
