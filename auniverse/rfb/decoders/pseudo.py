"""Pseudo-encodings: rectangles that paint nothing but say something (RFC 6143 §7.8)."""

from __future__ import annotations

import math

from auniverse.errors import MalformedRectangleError

from ..framebuffer import Framebuffer
from ..handshake import printable
from ..messages import (
    Event,
    FrameDrawn,
    KeysExtended,
    LayoutChanged,
    LightsChanged,
    PointerMoved,
    Renamed,
    Resized,
)
from ..types import FRAME_LAYOUT, MONITOR, Frame, Limits, Monitor, Rectangle


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


class ExtendedDesktopSize:
    """Tells which monitors make up the screen, and how it was or was not resized.

    The header's place is no place: x is who wanted it (0 the server, 1 we, 2 another client), y is
    0 if it was done, else why not.
    """

    def __init__(self, limits: Limits) -> None:
        self._most = limits.monitors

    def measure(self, data: memoryview, offset: int, rectangle: Rectangle) -> int:
        """Return the payload's length in bytes, 4 as long as it cannot be told.

        Raises:
            MalformedRectangleError: There are too many monitors.
        """
        if len(data) - offset < 4:
            return 4
        count = data[offset]
        if count > self._most:
            raise MalformedRectangleError(f"{count} monitors; the limit is {self._most}")
        return 4 + MONITOR.size * count

    def decode(
        self, payload: memoryview, rectangle: Rectangle, framebuffer: Framebuffer
    ) -> Event | None:
        """Resize the screen if it has another size now, and tell of its monitors.

        Raises:
            RFBError: There can be no such screen.
        """
        monitors = tuple(map(Monitor._make, MONITOR.iter_unpack(payload[4:])))
        reason, status, width, height, _ = rectangle
        if status or (width, height) == (framebuffer.width, framebuffer.height):
            return LayoutChanged(reason, status, monitors)
        framebuffer.resize(width, height)
        return Resized(width, height, monitors)


class PointerPosition:
    """The server has moved the pointer."""

    def __init__(self, limits: Limits) -> None:
        pass

    def measure(self, data: memoryview, offset: int, rectangle: Rectangle) -> int:
        """Return 0: the header says it all."""
        return 0

    def decode(self, payload: memoryview, rectangle: Rectangle, framebuffer: Framebuffer) -> Event:
        """Return where to; what is off the screen counts as its edge."""
        x = min(rectangle.x, framebuffer.width - 1)
        return PointerMoved(x, min(rectangle.y, framebuffer.height - 1))


class DesktopName:
    """The desktop has another name."""

    def __init__(self, limits: Limits) -> None:
        self._longest = limits.name

    def measure(self, data: memoryview, offset: int, rectangle: Rectangle) -> int:
        """Return the payload's length in bytes, 4 as long as it cannot be told.

        Raises:
            MalformedRectangleError: The name is too long.
        """
        if len(data) - offset < 4:
            return 4
        length = int.from_bytes(data[offset : offset + 4], "big")
        if length > self._longest:
            raise MalformedRectangleError(f"a name of {length} bytes; the limit is {self._longest}")
        return 4 + length

    def decode(self, payload: memoryview, rectangle: Rectangle, framebuffer: Framebuffer) -> Event:
        """Return it."""
        return Renamed(printable(bytes(payload[4:])))


class LEDState:
    """Which lights of the keyboard are on (QEMU)."""

    def __init__(self, limits: Limits) -> None:
        pass

    def measure(self, data: memoryview, offset: int, rectangle: Rectangle) -> int:
        """Return the payload's length in bytes."""
        return 1

    def decode(self, payload: memoryview, rectangle: Rectangle, framebuffer: Framebuffer) -> Event:
        """Return it."""
        return LightsChanged(payload[0])


class ExtendedKeys:
    """The server takes keys by their place on the keyboard too (QEMU)."""

    def __init__(self, limits: Limits) -> None:
        pass

    def measure(self, data: memoryview, offset: int, rectangle: Rectangle) -> int:
        """Return 0: the header says it all."""
        return 0

    def decode(self, payload: memoryview, rectangle: Rectangle, framebuffer: Framebuffer) -> Event:
        """Say so."""
        return KeysExtended()


class Audio:
    """The server could send sound (QEMU). We never ask it to, so nothing follows."""

    def __init__(self, limits: Limits) -> None:
        pass

    def measure(self, data: memoryview, offset: int, rectangle: Rectangle) -> int:
        """Return 0: the header says it all."""
        return 0

    def decode(self, payload: memoryview, rectangle: Rectangle, framebuffer: Framebuffer) -> None:
        """Leave it at that."""


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
