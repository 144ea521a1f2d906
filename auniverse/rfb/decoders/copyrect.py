"""CopyRect: pixels that are on the screen already (RFC 6143 §7.7.2)."""

from __future__ import annotations

import struct

from auniverse.errors import MalformedRectangleError

from ..framebuffer import Framebuffer
from ..types import Limits, Rectangle

_SOURCE = struct.Struct(">HH")


class CopyRect:
    """Decodes CopyRect."""

    def __init__(self, limits: Limits) -> None:
        pass

    def measure(self, data: memoryview, offset: int, rectangle: Rectangle) -> int:
        """Return the payload's length in bytes."""
        return _SOURCE.size

    def decode(self, payload: memoryview, rectangle: Rectangle, framebuffer: Framebuffer) -> None:
        """Copy; the two places may overlap.

        Raises:
            MalformedRectangleError: The source lies off the screen.
        """
        x, y, width, height, _ = rectangle
        left, top = _SOURCE.unpack(payload)
        if not framebuffer.contains((left, top, width, height)):
            raise MalformedRectangleError(f"copied from ({left}, {top}), off the screen")
        pixels = framebuffer.pixels
        source = pixels[top : top + height, left : left + width]
        pixels[y : y + height, x : x + width] = source
