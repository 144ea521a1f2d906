"""Raw: the pixels themselves (RFC 6143 §7.7.1)."""

from __future__ import annotations

import numpy as np

from ..framebuffer import Framebuffer
from ..types import Limits, Rectangle


class Raw:
    """Decodes Raw."""

    def __init__(self, limits: Limits) -> None:
        pass

    def measure(self, data: memoryview, offset: int, rectangle: Rectangle) -> int:
        """Return the payload's length in bytes."""
        return 4 * rectangle.width * rectangle.height

    def decode(self, payload: memoryview, rectangle: Rectangle, framebuffer: Framebuffer) -> None:
        """Paint it."""
        x, y, width, height, _ = rectangle
        pixels = np.frombuffer(payload, np.uint8).reshape(height, width, 4)
        framebuffer.pixels[y : y + height, x : x + width] = pixels
