"""Numbers in pixels: digits of one font and colour, found by their shapes.

Games draw their score with the same few pictures over and over. So each digit has one template, a
small picture of lit and dark pixels, and is where the lit pixels are the template's. There is no
guessing: if anything lit in the region is part of no digit, the number is not read, for it may be
one half of it that was drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from .marks import Paint, Region
from .scorer import Picture

Bitmap = NDArray[np.bool_]

#: What templates may stand for. A comma between digits means nothing.
SYMBOLS = "0123456789-.,"
#: Symbols that one number may have.
LONGEST = 16
#: Comparisons of pixels that one look may take: some tens of milliseconds.
MOST_WORK = 1 << 26


class Spot(NamedTuple):
    """A template that fits."""

    fit: float
    symbol: str
    x: int
    width: int
    lit: int


class Digits:
    """Reads the number in a region.

    Args:
        region: Where it stands, and nothing else that has its colour.
        paint: The digits' colour.
        templates: What each symbol looks like.
        overlap: Which share of the pixels that are lit in a template or under it must be lit in
            both, 0 to 1.
        spacing: Columns that may lie between two symbols.
        stray: Which share of the region's lit pixels may belong to no symbol.

    Raises:
        ValueError: There is no template for a digit, one is empty, or the comparison would take
            too long.
    """

    def __init__(
        self,
        region: Region,
        paint: Paint,
        templates: Mapping[str, Bitmap],
        *,
        overlap: float = 0.8,
        spacing: int = 16,
        stray: float = 0.1,
    ) -> None:
        if missing := set("0123456789") - templates.keys():
            raise ValueError(f"there is no template for {', '.join(sorted(missing))}")
        if not all(template.any() for template in templates.values()):
            raise ValueError("a template has no lit pixel")
        area = region.width * region.height
        if area * sum(template.size for template in templates.values()) > MOST_WORK:
            raise ValueError("the region or the templates are too large to be compared")
        self.region = region
        self._paint = paint
        self._templates = dict(templates)
        self._overlap, self._spacing, self._stray = overlap, spacing, stray
        self._seen: Bitmap | None = None
        self._read: float | None = None

    def read(self, picture: Picture) -> float | None:
        """Return the number that a picture shows; None if there is none that can be read."""
        part = self.region.cut(picture)
        if part is None:
            return None
        mask = self._paint.mask(part)
        if self._seen is None or not np.array_equal(mask, self._seen):
            self._seen, self._read = mask, self._read_mask(mask)
        return self._read

    def _read_mask(self, mask: Bitmap) -> float | None:
        lit = int(mask.sum())
        if not lit:
            return None
        spots: list[Spot] = []
        for spot in sorted(self._spots(mask), key=lambda spot: (-spot.fit, -spot.lit)):
            if all(apart(spot, other) for other in spots):
                spots.append(spot)
        spots.sort(key=lambda spot: spot.x)
        gaps = (right.x - left.x - left.width for left, right in pairwise(spots))
        if sum(spot.lit for spot in spots) < (1 - self._stray) * lit or any(
            gap > self._spacing for gap in gaps
        ):
            return None
        return to_number("".join(spot.symbol for spot in spots))

    def _spots(self, mask: Bitmap) -> list[Spot]:
        """Return every place where a template fits well enough."""
        found = []
        for symbol, template in self._templates.items():
            height, width = template.shape
            if height > mask.shape[0] or width > mask.shape[1]:
                continue
            windows = sliding_window_view(mask, template.shape)
            below = windows.sum(axis=(2, 3), dtype=np.int32)
            both = (windows & template).sum(axis=(2, 3), dtype=np.int32)
            either = below + int(template.sum()) - both
            fits = both / either
            for y, x in np.argwhere(fits >= self._overlap):
                found.append(Spot(float(fits[y, x]), symbol, int(x), width, int(both[y, x])))
        return found


def apart(one: Spot, other: Spot) -> bool:
    """Tell whether two symbols stand side by side; one column may be of both."""
    left, right = sorted((one, other), key=lambda spot: spot.x)
    return right.x >= left.x + left.width - 1


def to_number(text: str) -> float | None:
    """Return the number that symbols are; None if they are none."""
    digits = text.replace(",", "")
    if len(text) > LONGEST or not digits.lstrip("-").replace(".", "", 1).isdecimal():
        return None
    try:
        return float(digits)
    except ValueError:
        return None


def read_bitmap(text: str) -> Bitmap:
    """Return the bitmap that lines of `#` (lit) and `.` (dark) draw.

    Raises:
        ValueError: The lines differ in length, or hold something else.
    """
    rows = text.split()
    if not rows or any(len(row) != len(rows[0]) or set(row) - set("#.") for row in rows):
        raise ValueError("must be lines of # and . that are equally long")
    return np.array([[pixel == "#" for pixel in row] for row in rows])


def cut_glyphs(picture: Picture, region: Region, paint: Paint, text: str) -> dict[str, str]:
    """Return templates, cut from a picture in which a known text stands.

    Args:
        picture: What shows it.
        region: Where.
        paint: Its colour.
        text: What stands there; dark columns are between any two of its symbols.

    Raises:
        ValueError: There are more or fewer shapes than symbols.
    """
    part = region.cut(picture)
    if part is None:
        raise ValueError("the region is not wholly inside the picture")
    mask = paint.mask(part)
    columns = np.flatnonzero(mask.any(axis=0))
    shapes = np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1) if len(columns) else []
    if len(shapes) != len(text):
        raise ValueError(f"{len(shapes)} shapes for the {len(text)} symbols of {text!r}")
    rows = np.flatnonzero(mask.any(axis=1))
    glyphs = {}
    for symbol, shape in zip(text, shapes, strict=True):
        glyph = mask[rows[0] : rows[-1] + 1, shape[0] : shape[-1] + 1]
        glyphs[symbol] = "\n".join("".join(".#"[int(lit)] for lit in row) for row in glyph)
    return glyphs
