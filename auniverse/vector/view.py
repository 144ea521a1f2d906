"""What an agent sees of a screen: a part of it, smaller, grey, with what it saw before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from auniverse.errors import UsageError
from auniverse.rfb import Box, Copies, copy_all, shrink

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class View:
    """What an agent sees of a screen.

    Whatever is asked for is done in one pass from the screen to the observation, and only where the
    screen has changed; the result is what the whole screen would give.

    Attributes:
        crop: The part of the screen to see: x, y, width, height in pixels. What of it lies off the
            screen is black. None: all of it.
        size: Height and width of the observation, each pixel the mean of the area that it covers.
            None: as many pixels as on the screen.
        grey: Luma (ITU-R 601) instead of red, green and blue; the last axis is gone then.
        stack: How many pictures are seen at once: the newest and those of the slot's results before
            it. They are the first axis of an observation, the oldest first, as in Gymnasium's
            `FrameStackObservation`; after a reset all of them are the first one. 1: no such axis.

    Raises:
        UsageError: A number is none, or too small.
    """

    crop: tuple[int, int, int, int] | None = None
    size: tuple[int, int] | None = None
    grey: bool = False
    stack: int = 1

    def __post_init__(self) -> None:
        if self.crop is not None and not (_are_integers(self.crop, 4) and _is_box(*self.crop)):
            raise UsageError(f"crop={self.crop!r}: x, y, width, height in pixels of the screen")
        if self.size is not None and not (_are_integers(self.size, 2) and min(self.size) > 0):
            raise UsageError(f"size={self.size!r}: height, width in pixels, such as (84, 84)")
        if not _are_integers((self.stack,), 1) or self.stack < 1:
            raise UsageError(f"stack={self.stack!r}: how many frames, 1 or more")

    def picture(self, height: int, width: int) -> tuple[int, int]:
        """Return height and width of what is seen of a screen of that height and width."""
        if self.size is not None:
            return self.size
        return (height, width) if self.crop is None else (self.crop[3], self.crop[2])

    def single_shape(self, height: int, width: int) -> tuple[int, ...]:
        """Return the shape of one picture, without a stack, of a screen of that size."""
        picture = self.picture(height, width)
        return picture if self.grey else (*picture, 3)

    def shape(self, height: int, width: int) -> tuple[int, ...]:
        """Return the shape of an observation of a screen of that height and width, in pixels."""
        single = self.single_shape(height, width)
        return single if self.stack == 1 else (self.stack, *single)

    @property
    def develops(self) -> bool:
        """Whether a picture is more than a copy of pixels, so that it is made but once."""
        return self.size is not None or self.grey or self.stack > 1

    def canvas(self, height: int, width: int) -> tuple[int, int]:
        """Return height and width of the memory that a screen needs, so that all is on it."""
        if self.crop is None or self.size is None:
            return height, width
        x, y, w, h = self.crop
        return max(height, y + h), max(width, x + w)


def _are_integers(numbers: tuple[int, ...], count: int) -> bool:
    return (
        isinstance(numbers, tuple | list)
        and len(numbers) == count
        and all(isinstance(n, int | np.integer) and not isinstance(n, bool) for n in numbers)
    )


def _is_box(x: int, y: int, width: int, height: int) -> bool:
    return min(x, y) >= 0 and min(width, height) > 0


class Lens:
    """What a view makes of one screen.

    Args:
        view: The view.
        screen: uint8 (height, width, 4) RGBX, with what `View.canvas` asks for.
        size: Height and width of the picture.

    Attributes:
        shown: The part of the picture on which there is a screen; the rest is black.
    """

    def __init__(self, view: View, screen: Pixels, size: tuple[int, int]) -> None:
        height, width = size
        if view.size is None:
            x, y, *_ = view.crop or (0, 0)
            self._source = screen[y:, x:][:height, :width]
            height, width = self._source.shape[:2]
            self._region = Box(x, y, width, height)
        else:
            self._region = Box(*(view.crop or (0, 0, screen.shape[1], screen.shape[0])))
            self._source = screen
        self._resizes = view.size is not None
        self._shrinks = self._resizes or view.grey
        self.shown = Box(0, 0, width, height)
        self._fills = (height, width) == size
        self._uncut = not (self._region.x or self._region.y)

    def paint(self, picture: Pixels, damage: list[Box]) -> list[Box]:
        """Bring a picture up to date where the screen has changed.

        Args:
            picture: uint8 (height, width, 3), or (height, width, 1) for grey.
            damage: What changed on the screen.

        Returns:
            What changed on the picture.
        """
        if self._resizes:
            return shrink(self._source, picture, self._region, damage)
        places = self.places(damage)
        if places:
            if self._shrinks:
                _, _, width, height = self.shown
                return shrink(self._source, picture[:height, :width], self.shown, places)
            copy_all([self.copies(picture, places)])
        return places

    def places(self, damage: list[Box]) -> list[Box]:
        """Return where on the picture the damage of the screen is, if no size is asked for."""
        left, top, width, height = self._region
        found = []
        for box in damage:
            x, y, w, h = box
            x, y, right, bottom = x - left, y - top, x - left + w, y - top + h
            if self._uncut and x >= 0 <= y and right <= width and bottom <= height and w > 0 < h:
                found.append(box)
                continue
            x, y, right, bottom = max(x, 0), max(y, 0), min(right, width), min(bottom, height)
            if x < right and y < bottom:
                found.append(Box(x, y, right - x, bottom - y))
        return found

    def copies(self, picture: Pixels, places: list[Box]) -> Copies:
        """Return what to copy, as it is, so that the screen is on these places of a picture.

        Where there is no screen they are black at once.
        """
        if self._fills:
            return self._source, picture, places
        return (
            self._source,
            picture,
            [box for place in places if (box := self._on_screen(picture, place))],
        )

    def _on_screen(self, picture: Pixels, place: Box) -> Box | None:
        x, y, width, height = place
        columns, rows = min(width, self.shown.width - x), min(height, self.shown.height - y)
        if columns == width and rows == height:
            return place
        old = picture[y : y + height, x : x + width]
        old[max(rows, 0) :] = 0
        old[:, max(columns, 0) :] = 0
        return Box(x, y, columns, rows) if columns > 0 and rows > 0 else None
