"""The pointer's shape, for who draws it himself: Cursor, XCursor and the one with alpha."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from auniverse.errors import MalformedRectangleError, UnsupportedEncodingError

from ..framebuffer import Framebuffer
from ..messages import CursorChanged, Event
from ..types import Encoding, Limits, Rectangle


class Cursor:
    """Gives the pointer another shape: pixels, then a mask of bits (RFC 6143 §7.8.1)."""

    def __init__(self, limits: Limits) -> None:
        self._limit = limits.cursor

    def measure(self, data: memoryview, offset: int, rectangle: Rectangle) -> int:
        """Return the payload's length in bytes.

        Raises:
            MalformedRectangleError: The pointer is too large.
        """
        width, height = _checked(rectangle, self._limit)
        return 4 * width * height + -(-width // 8) * height

    def decode(self, payload: memoryview, rectangle: Rectangle, framebuffer: Framebuffer) -> Event:
        """Return the new shape."""
        x, y, width, height, _ = rectangle
        area = width * height
        image = np.frombuffer(payload, np.uint8, 4 * area).reshape(height, width, 4).copy()
        image[..., 3] = _bits(payload[4 * area :], width, height) * 255
        return CursorChanged(image, x, y)


class XCursor:
    """Gives the pointer a shape of two colours (IANA encoding -240): they, shape, mask."""

    def __init__(self, limits: Limits) -> None:
        self._limit = limits.cursor

    def measure(self, data: memoryview, offset: int, rectangle: Rectangle) -> int:
        """Return the payload's length in bytes.

        Raises:
            MalformedRectangleError: The pointer is too large.
        """
        width, height = _checked(rectangle, self._limit)
        return 6 + 2 * -(-width // 8) * height if width * height else 0

    def decode(self, payload: memoryview, rectangle: Rectangle, framebuffer: Framebuffer) -> Event:
        """Return the new shape."""
        x, y, width, height, _ = rectangle
        image = np.zeros((height, width, 4), np.uint8)
        if image.size:
            colours = np.frombuffer(payload, np.uint8, 6).reshape(2, 3)  # foreground, background
            middle = 6 + (len(payload) - 6) // 2
            image[..., :3] = colours[1 - _bits(payload[6:middle], width, height)]
            image[..., 3] = _bits(payload[middle:], width, height) * 255
        return CursorChanged(image, x, y)


class AlphaCursor:
    """Gives the pointer a translucent shape (IANA encoding -314): an encoding, then RGBA in it."""

    def __init__(self, limits: Limits) -> None:
        self._limit = limits.cursor

    def measure(self, data: memoryview, offset: int, rectangle: Rectangle) -> int:
        """Return the payload's length in bytes, 4 as long as it cannot be told.

        Raises:
            MalformedRectangleError: The pointer is too large.
            UnsupportedEncodingError: It is not in Raw, which all servers use.
        """
        width, height = _checked(rectangle, self._limit)
        if len(data) - offset < 4:
            return 4
        encoding = int.from_bytes(data[offset : offset + 4], "big", signed=True)
        if encoding != Encoding.RAW:
            raise UnsupportedEncodingError(f"a pointer in encoding {encoding}")
        return 4 + 4 * width * height

    def decode(self, payload: memoryview, rectangle: Rectangle, framebuffer: Framebuffer) -> Event:
        """Return the new shape; on the wire its colours are multiplied with alpha."""
        x, y, width, height, _ = rectangle
        image = np.frombuffer(payload, np.uint8, offset=4).reshape(height, width, 4).copy()
        alpha = np.maximum(image[..., 3:], 1).astype(np.uint16)
        image[..., :3] = np.minimum(image[..., :3] * np.uint16(255) // alpha, 255)
        return CursorChanged(image, x, y)


def shape_of(rgba: bytearray, width: int, height: int, x: int, y: int) -> CursorChanged:
    """Return what the compiled decoder has read: RGBA in rows, its size, and the hot spot."""
    if not rgba:
        return _no_pointer(width, height, x, y)
    return CursorChanged(np.ndarray((height, width, 4), np.uint8, rgba), x, y)


@lru_cache(maxsize=16)
def _no_pointer(width: int, height: int, x: int, y: int) -> CursorChanged:
    """Servers that draw the pointer into the picture say again and again that there is none."""
    return CursorChanged(np.zeros((height, width, 4), np.uint8), x, y)


def _checked(rectangle: Rectangle, limit: int) -> tuple[int, int]:
    """Return width and height, if they are not too large."""
    if rectangle.width > limit or rectangle.height > limit:
        raise MalformedRectangleError(f"a pointer larger than {limit} pixels")
    return rectangle.width, rectangle.height


def _bits(mask: memoryview, width: int, height: int) -> NDArray[np.uint8]:
    """Return bits, whose rows begin with a byte each, as 0 and 1, shape (height, width)."""
    if not width * height:
        return np.zeros((height, width), np.uint8)
    rows = np.frombuffer(mask, np.uint8).reshape(height, -(-width // 8))
    return np.unpackbits(rows, axis=1, count=width)
