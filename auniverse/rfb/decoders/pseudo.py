"""Pseudo-encodings: rectangles that paint nothing but say something (RFC 6143 §7.8)."""

from __future__ import annotations

import math

import numpy as np

from auniverse.errors import MalformedRectangleError

from ..framebuffer import Framebuffer
from ..messages import CursorChanged, Event, FrameDrawn, Resized
from ..types import FRAME_LAYOUT, Frame, Limits, Rectangle


class LastRect:
    """Ends its update, whatever the number of rectangles that was announced."""

    def __init__(self, limits: Limits) -> None:
        pass

    def measure(self, data: memoryview, offset: int, rectangle: Rectangle) -> int:
        """Return 0: the header says it all."""
        return 0

    def decode(self, payload: memoryview, rectangle: Rectangle, framebuffer: Framebuffer) -> None:
        """Do nothing; the decoder ends the update."""


class DesktopSize:
    """Gives the screen another size (RFC 6143 §7.8.2)."""

    def __init__(self, limits: Limits) -> None:
        pass

    def measure(self, data: memoryview, offset: int, rectangle: Rectangle) -> int:
        """Return 0: the header says it all."""
        return 0

    def decode(
        self, payload: memoryview, rectangle: Rectangle, framebuffer: Framebuffer
    ) -> Event | None:
        """Resize the screen, unless it has that size already.

        Raises:
            RFBError: There can be no such screen.
        """
        size = rectangle.width, rectangle.height
        if size == (framebuffer.width, framebuffer.height):
            return None
        framebuffer.resize(*size)
        return Resized(*size)


class Cursor:
    """Gives the pointer another shape: pixels, then a mask of bits (RFC 6143 §7.8.1)."""

    def __init__(self, limits: Limits) -> None:
        self._limit = limits.cursor

    def measure(self, data: memoryview, offset: int, rectangle: Rectangle) -> int:
        """Return the payload's length in bytes.

        Raises:
            MalformedRectangleError: The pointer is too large.
        """
        _, _, width, height, _ = rectangle
        if width > self._limit or height > self._limit:
            raise MalformedRectangleError(f"a pointer larger than {self._limit} pixels")
        return 4 * width * height + -(-width // 8) * height

    def decode(self, payload: memoryview, rectangle: Rectangle, framebuffer: Framebuffer) -> Event:
        """Return the new shape."""
        x, y, width, height, _ = rectangle
        area = width * height
        image = np.frombuffer(payload, np.uint8, 4 * area).reshape(height, width, 4).copy()
        mask = np.frombuffer(payload, np.uint8, offset=4 * area) if area else image[..., 0]
        visible = np.unpackbits(mask.reshape(height, -(-width // 8)), axis=1, count=width)
        image[..., 3] = visible * 255
        return CursorChanged(image, x, y)


class FrameMark:
    """FRAME, ours: says which frame the update completes."""

    def __init__(self, limits: Limits) -> None:
        pass

    def measure(self, data: memoryview, offset: int, rectangle: Rectangle) -> int:
        """Return the payload's length in bytes."""
        return FRAME_LAYOUT.size

    def decode(self, payload: memoryview, rectangle: Rectangle, framebuffer: Framebuffer) -> Event:
        """Return the frame.

        Raises:
            MalformedRectangleError: It has a time that is no number.
        """
        frame = Frame._make(FRAME_LAYOUT.unpack(payload))
        if not (math.isfinite(frame.drawn_at) and math.isfinite(frame.input_at)):
            raise MalformedRectangleError("a frame with a time that is no number")
        return FrameDrawn(frame)
