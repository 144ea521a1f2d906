"""The screen of a host: what all its viewers see."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .types import Box, Limits

if TYPE_CHECKING:
    from .viewer import Viewer


#: What came of a viewer's wish for another size (ExtendedDesktopSize).
DONE, FORBIDDEN, INVALID = 0, 1, 3


class Screen:
    """Pixels that a program paints and that viewers are shown.

    Attributes:
        name: What viewers are told that the screen is called.
        pixels: uint8, shape (height, width, 4), bytes R, G, B, 0. For reading; `paint` writes.
        frame: Number of the newest finished frame.
        drawn_at: When that frame was drawn: unix seconds by the host's clock.
        announced: The newest frame that viewers are told of even if it changed nothing, or -1.
        on_size: Called with the width and height that a viewer wishes for; it resizes the screen
            and returns True, or refuses. None refuses always.
    """

    def __init__(self, width: int, height: int, name: str = "auniverse") -> None:
        self.name = name
        self.pixels = _blank(width, height)
        self.frame = 0
        self.drawn_at = 0.0
        self.announced = -1
        self.on_size: Callable[[int, int], bool] | None = None
        self._viewers: list[Viewer] = []

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.pixels.shape[0])

    @property
    def whole(self) -> Box:
        """The box that covers the screen."""
        return Box(0, 0, self.width, self.height)

    @property
    def viewers(self) -> tuple[Viewer, ...]:
        """Those who watch: past their handshake and not closed, in the order they came."""
        return tuple(self._viewers)

    def paint(self, x: int, y: int, rgb: NDArray[np.uint8]) -> None:
        """Put a picture with its upper left corner at column `x`, row `y`.

        Viewers are sent all of it, changed or not: paint what changed.

        Args:
            x: Column, in pixels.
            y: Row, in pixels.
            rgb: uint8, shape (height, width, 3).

        Raises:
            ValueError: The picture has another shape or type, or does not lie on the screen.
        """
        if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
            raise ValueError(f"a picture of {rgb.dtype}{rgb.shape} instead of uint8 (h, w, 3)")
        height, width = rgb.shape[:2]
        if x < 0 or y < 0 or x + width > self.width or y + height > self.height:
            raise ValueError(
                f"a picture of {width}x{height} at ({x}, {y}) on a screen of "
                f"{self.width}x{self.height}"
            )
        target = self.pixels[y : y + height, x : x + width]
        # Channel by channel: numpy copies innermost runs of three bytes five times slower.
        for channel in range(3):
            target[:, :, channel] = rgb[:, :, channel]
        box = Box(x, y, width, height)
        for viewer in self._viewers:
            viewer.damage.add(box)

    def resize(self, width: int, height: int) -> None:
        """Take another size (nothing happens if it is the same one); the picture turns black.

        The next update of each viewer tells it the new size. A viewer that does not understand
        that (it offered no kind of DesktopSize) is closed instead: any rectangle of the new screen
        could lie outside the one that it knows.

        Raises:
            ValueError: A side is not within 1..65535, or all is more than `Limits.pixels`.
        """
        if (width, height) == (self.width, self.height):
            return
        self.pixels = _blank(width, height)
        for viewer in self._viewers:
            viewer.damage.take()
            viewer.damage.add(self.whole)

    def ask_size(self, viewer: Viewer, width: int, height: int) -> None:
        """Let `viewer` wish for another size; all viewers are told what came of it."""
        status = FORBIDDEN
        if not _fits(width, height):
            status = INVALID
        elif self.on_size is not None and self.on_size(width, height):
            status = DONE
        for other in self._viewers:
            if other is viewer:
                other.note_layout(1, status)
            elif status == DONE:
                other.note_layout(2, status)

    def finish(self, frame: int, now: float, *, announce: bool = False) -> None:
        """Say that what is painted now is frame number `frame`.

        Args:
            frame: Its number, which only grows.
            now: When it was drawn: unix seconds.
            announce: Tell viewers with the FRAME encoding of it even if nothing has changed.
        """
        self.frame = frame
        self.drawn_at = now
        if announce:
            self.announced = frame

    def join(self, viewer: Viewer) -> None:
        """Count `viewer` among those who watch. It does that itself, as it does `leave`."""
        self._viewers.append(viewer)
        viewer.damage.add(self.whole)

    def leave(self, viewer: Viewer) -> None:
        """Forget `viewer`, if it watched."""
        if viewer in self._viewers:
            self._viewers.remove(viewer)


def _fits(width: int, height: int) -> bool:
    sides = 1 <= width <= 0xFFFF and 1 <= height <= 0xFFFF
    return sides and width * height <= Limits().pixels


def _blank(width: int, height: int) -> NDArray[np.uint8]:
    if not _fits(width, height):
        raise ValueError(f"a screen of {width}x{height} pixels")
    return np.zeros((height, width, 4), np.uint8)
