"""A program's picture on a screen: fitted, centred, and painted only where it changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auniverse.rfb import Box, Screen

from .program import Picture

#: Unchanged rows or columns that are painted along rather than begin another box.
GAP = 8
#: More boxes than this become one.
MAX_BOXES = 32


class Canvas:
    """Where a picture of `width` x `height` pixels lies on `screen`.

    It is scaled by one factor to fit (nearest neighbour), centred, with black borders.

    Attributes:
        box: Where it lies on the screen.
    """

    def __init__(self, screen: Screen, width: int, height: int) -> None:
        self._screen = screen
        self._size = width, height
        across = min(screen.width, screen.height * width // height)
        down = min(screen.height, screen.width * height // width)
        across, down = max(across, 1), max(down, 1)
        self.box = Box((screen.width - across) // 2, (screen.height - down) // 2, across, down)
        self._columns = np.arange(across) * width // across
        self._rows = np.arange(down) * height // down
        # Pixels are three bytes; one gather of single bytes is faster than one of triples.
        self._bytes = (self._columns[:, None] * 3 + np.arange(3)).ravel()
        # Screen columns [left[c], left[c + 1]) show column c of the picture; rows likewise.
        self._left = np.searchsorted(self._columns, np.arange(width + 1)).tolist()
        self._top = np.searchsorted(self._rows, np.arange(height + 1)).tolist()
        self._shown: Picture | None = None  # as it lies in memory
        self._turned = False  # whether it lies there column by column

    def clear(self) -> None:
        """Paint the whole screen black; the next picture is painted whole."""
        self._screen.paint(0, 0, np.zeros((self._screen.height, self._screen.width, 3), np.uint8))
        self._shown = None

    def show(self, picture: Picture) -> None:
        """Paint what differs from the picture shown last. The array may be written to afterwards.

        Raises:
            ValueError: It is not uint8 or has another size than was announced.
        """
        width, height = self._size
        if picture.shape != (height, width, 3) or picture.dtype != np.uint8:
            raise ValueError(
                f"a picture of {picture.dtype}{picture.shape} where {width}x{height} was announced"
            )
        if self._shown is None:
            # As pygame's pictures do. To turn those round would cost more than all that follows.
            self._turned = picture.strides[0] < picture.strides[1]
            self._shown = np.array(_turn(picture) if self._turned else picture, order="C")
            self._paint(picture, Box(0, 0, width, height))
            return
        lying = np.ascontiguousarray(_turn(picture) if self._turned else picture)
        for x, y, across, down in changes(self._shown, lying):
            box = Box(y, x, down, across) if self._turned else Box(x, y, across, down)
            self._paint(picture, box)
        np.copyto(self._shown, lying)

    def locate(self, x: int, y: int) -> tuple[int, int]:
        """Return the pixel of the picture under a pixel of the screen, or the nearest to it."""
        column = min(max(x - self.box.x, 0), self.box.width - 1)
        row = min(max(y - self.box.y, 0), self.box.height - 1)
        return int(self._columns[column]), int(self._rows[row])

    def _paint(self, picture: Picture, box: Box) -> None:
        left, right = self._left[box.x], self._left[box.x + box.width]
        top, bottom = self._top[box.y], self._top[box.y + box.height]
        if left == right or top == bottom:
            return
        part = np.ascontiguousarray(picture[box.y : box.y + box.height, box.x : box.x + box.width])
        flat = part.reshape(box.height, -1)
        wide = flat.take(self._bytes[3 * left : 3 * right] - 3 * box.x, axis=1)
        scaled = wide.take(self._rows[top:bottom] - box.y, axis=0)
        self._screen.paint(
            self.box.x + left, self.box.y + top, scaled.reshape(bottom - top, right - left, 3)
        )


def _turn(picture: Picture) -> Picture:
    """Return rows as columns."""
    return picture.transpose(1, 0, 2)


def changes(before: Picture, after: Picture) -> list[Box]:
    """Return boxes around all that differs between two pictures of one size."""
    rows = np.flatnonzero(np.not_equal(*_words(before, after)).any(axis=1))
    if not len(rows):
        return []
    boxes = []
    for top, bottom in _runs(rows):
        differs = _columns(before[top:bottom], after[top:bottom])
        boxes += [
            Box(left, top, right - left, bottom - top)
            for left, right in _runs(np.flatnonzero(differs))
        ]
    if len(boxes) > MAX_BOXES:
        left = min(box.x for box in boxes)
        right = max(box.x + box.width for box in boxes)
        top, bottom = int(rows[0]), int(rows[-1]) + 1
        return [Box(left, top, right - left, bottom - top)]
    return boxes


def _columns(before: Picture, after: Picture) -> NDArray[np.bool_]:
    """Tell which columns differ somewhere."""
    differences = np.bitwise_or.reduce(np.bitwise_xor(*_words(before, after)), axis=0)
    columns: NDArray[np.bool_] = differences.view(np.uint8).reshape(-1, 3).any(axis=1)
    return columns


def _words(before: Picture, after: Picture) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return both pictures row by row, eight bytes to a word where the width allows it."""
    height = len(after)
    one, other = before.reshape(height, -1), after.reshape(height, -1)
    if one.shape[1] % 8 == 0:
        return one.view(np.uint64), other.view(np.uint64)
    return one, other


def _runs(indices: NDArray[np.intp]) -> Iterator[tuple[int, int]]:
    """Return [first, end) of every run of sorted indices with no gap wider than GAP."""
    breaks = np.flatnonzero(np.diff(indices) > GAP + 1)
    firsts = indices[np.concatenate(([0], breaks + 1))]
    lasts = indices[np.concatenate((breaks, [len(indices) - 1]))]
    return zip(firsts.tolist(), (lasts + 1).tolist(), strict=True)
