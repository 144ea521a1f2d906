"""Raw: the pixels themselves (RFC 6143 §7.7.1)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..framebuffer import Framebuffer
from ..types import Limits, Rectangle
from .pixels import COPIED, bands


class Raw:
    """Decodes Raw."""

    def __init__(self, limits: Limits) -> None:
        pass

    def measure(self, data: memoryview, offset: int, rectangle: Rectangle) -> int:
        """Return the payload's length in bytes."""
        return 4 * rectangle.width * rectangle.height

    def paint(
        self, payload: memoryview, rectangle: Rectangle, framebuffer: Framebuffer
    ) -> Iterator[int]:
        """Paint it."""
        for x, y, width, height, _ in bands(rectangle, COPIED):
            if y > rectangle.y:
                yield COPIED
            start = 4 * width * (y - rectangle.y)
            pixels = np.frombuffer(payload, np.uint8, 4 * width * height, start)
            framebuffer.pixels[y : y + height, x : x + width] = pixels.reshape(height, width, 4)
