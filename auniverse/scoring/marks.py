"""A mark: something that is on the screen or is not, such as the words GAME OVER."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from auniverse.runtimes import Section

from .scorer import Picture

#: The largest number in a place; screens are smaller.
FARTHEST = 16384


class Region(NamedTuple):
    """A part of a picture, in pixels."""

    x: int
    y: int
    width: int
    height: int

    def cut(self, picture: Picture) -> Picture | None:
        """Return this part of a picture; None if it is not wholly inside."""
        part = picture[self.y : self.y + self.height, self.x : self.x + self.width]
        return part if part.shape[:2] == (self.height, self.width) else None


class Paint(NamedTuple):
    """A colour, and what passes for it."""

    red: int
    green: int
    blue: int
    #: How far each of the three may be off.
    tolerance: int

    def mask(self, part: Picture) -> NDArray[np.bool_]:
        """Return which pixels have it, shape (height, width)."""
        distance = np.abs(part.astype(np.int16) - np.array(self[:3], np.int16))
        return np.asarray((distance <= self.tolerance).all(axis=2))


@dataclass(frozen=True, slots=True)
class Mark:
    """A region of which some share has a colour.

    Attributes:
        region: Where.
        paint: Which colour.
        share: From which share of the region's pixels on, 0 to 1.
        at_most: Up to which share.
    """

    region: Region
    paint: Paint
    share: float = 0.5
    at_most: float = 1.0

    def is_on(self, picture: Picture) -> bool:
        """Tell whether a picture shows it; one that ends before the region does not."""
        part = self.region.cut(picture)
        if part is None:
            return False
        return self.share <= float(self.paint.mask(part).mean()) <= self.at_most


def read_mark(section: Section) -> Mark:
    """Read `region`, `color`, `tolerance`, `share` and `at_most`.

    Raises:
        UsageError: One is missing or makes no sense; the message names file, line and key.
    """
    mark = Mark(
        read_region(section),
        read_paint(section),
        section.number("share", 0.0, 1.0, 0.5),
        section.number("at_most", 0.0, 1.0, 1.0),
    )
    section.finish()
    return mark


def read_region(section: Section) -> Region:
    """Read `region: x y width height`."""
    region = Region(*read_integers(section, "region", 4, FARTHEST))
    if not region.width or not region.height:
        section.refuse("must be at least one pixel wide and high", "region")
    return region


def read_paint(section: Section) -> Paint:
    """Read `color: red green blue` and `tolerance`."""
    red, green, blue = read_integers(section, "color", 3, 255)
    return Paint(red, green, blue, int(section.number("tolerance", 0, 255, 40)))


def read_integers(section: Section, key: str, count: int, highest: int) -> list[int]:
    """Read so many whole numbers, from 0 to `highest`, in one text."""
    words = section.words(key)
    numbers = [int(word) for word in words if word.isascii() and word.isdecimal() and len(word) < 6]
    if len(numbers) != count or len(words) != count or max(numbers) > highest:
        section.refuse(f"must be {count} whole numbers from 0 to {highest}", key)
    return numbers
