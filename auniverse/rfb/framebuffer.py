"""A screen in memory, and which parts of it have changed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from auniverse.errors import RFBError

from .types import Box, Limits, bounding_box

#: Gives the memory for a screen of (width, height): uint8, shape (height, width, 4), RGBX. What it
#: holds does not matter: it is made black.
Allocate = Callable[[int, int], NDArray[np.uint8]]

#: Returns what was painted since it was called last.
Painted = Callable[[], list[Box]]


def allocate_pixels(width: int, height: int) -> NDArray[np.uint8]:
    """Return memory for a screen, whatever it holds."""
    return np.empty((height, width, 4), np.uint8)


_NOTHING = allocate_pixels(0, 0)


class Damage:
    """The regions that changed since somebody last took them.

    At most `limit` boxes are kept apart; past that they become one bounding box, so that neither
    memory nor the reader's work can grow with a busy screen.

    Attributes:
        painted: A decoder's own note of what it has painted, if it keeps one: returns it as boxes
            and forgets it. It is asked when somebody asks us, not whenever something is painted.
    """

    def __init__(self, limit: int = 64) -> None:
        self.limit = limit
        self.painted: Painted | None = None
        self._boxes: list[Box] = []

    def __bool__(self) -> bool:
        self.settle()
        return bool(self._boxes)

    @property
    def boxes(self) -> tuple[Box, ...]:
        """The changed regions; they may overlap."""
        self.settle()
        return tuple(self._boxes)

    @property
    def pixels(self) -> int:
        """The sum of their areas in pixels; where boxes overlap, counted more than once."""
        self.settle()
        return sum(box.width * box.height for box in self._boxes)

    def settle(self) -> None:
        """Take in what the decoder has painted; whoever looks at the boxes does it first."""
        if self.painted is not None and (boxes := self.painted()):
            self.extend(boxes)

    def add(self, box: Box) -> None:
        """Note that `box` changed."""
        if box.width <= 0 or box.height <= 0:
            return
        if not self._boxes:
            self._boxes = [box]
            return
        if _covers(self._boxes[-1], box):
            return
        self._boxes = [kept for kept in self._boxes if not _covers(box, kept)]
        self._boxes.append(box)
        if len(self._boxes) > self.limit:
            self._boxes = [bounding_box(self._boxes)]

    def extend(self, boxes: list[Box]) -> None:
        """Note that all of `boxes` changed."""
        if self._boxes or len(boxes) > self.limit:
            for box in boxes:
                self.add(box)
        else:
            self._boxes = boxes

    def take(self) -> list[Box]:
        """Return the boxes and forget them."""
        self.settle()
        boxes, self._boxes = self._boxes, []
        return boxes


def _covers(outer: Box, inner: Box) -> bool:
    return (
        outer.x <= inner.x
        and outer.y <= inner.y
        and outer.x + outer.width >= inner.x + inner.width
        and outer.y + outer.height >= inner.y + inner.height
    )


class Framebuffer:
    """A screen of RGBX pixels in memory that its owner gives.

    Attributes:
        pixels: uint8, shape (height, width, 4), bytes R, G, B, X; X is undefined.
        width: Columns.
        height: Rows.
        box: All of it.
    """

    def __init__(
        self,
        width: int,
        height: int,
        *,
        allocate: Allocate = allocate_pixels,
        limits: Limits | None = None,
    ) -> None:
        self._allocate = allocate
        self._limits = limits or Limits()
        self._damage = Damage()
        self._resizes_left = self._limits.resizes
        self._take(width, height)

    @property
    def damage(self) -> Damage:
        """What changed since the owner last took it; the owner may bring another."""
        return self._damage

    @damage.setter
    def damage(self, damage: Damage) -> None:
        painted, self._damage.painted = self._damage.painted, None
        self._damage = damage
        damage.painted = painted

    def resize(self, width: int, height: int) -> None:
        """Take memory of another size; the picture turns black and counts as changed.

        Raises:
            RFBError: The size is zero or above `Limits.pixels`, or it has changed more than
                `Limits.resizes` times since `allow_resizes`.
        """
        if self._resizes_left == 0:
            raise RFBError(f"resized more than {self._limits.resizes} times at a stretch")
        self._resizes_left -= 1
        self._take(width, height)

    def allow_resizes(self) -> None:
        """Count resizes from here: a well-meaning server waits for requests between them."""
        self._resizes_left = self._limits.resizes

    def _take(self, width: int, height: int) -> None:
        if width < 1 or height < 1 or width * height > self._limits.pixels:
            raise RFBError(f"a screen of {width}x{height} pixels")
        self.pixels = _NOTHING  # two screens at a time would be one too many
        pixels = self._allocate(width, height)
        if pixels.shape != (height, width, 4) or pixels.dtype != np.uint8:
            raise ValueError(f"allocate gave {pixels.dtype}{pixels.shape}")
        pixels[...] = 0
        self.pixels = pixels
        self.width, self.height = width, height
        self.box = Box(0, 0, width, height)
        self.damage.take()
        self.damage.add(self.box)

    def contains(self, box: tuple[int, int, int, int]) -> bool:
        """Tell whether `box` lies wholly on the screen; an empty one on its edge does."""
        x, y, width, height = box
        return x >= 0 and y >= 0 and x + width <= self.width and y + height <= self.height
