from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from auniverse.rfb.region import area, bands, disjoint, intersect, subtract
from auniverse.rfb.types import Box

BOXES = st.builds(Box, *[st.integers(0, 15)] * 2, *[st.integers(1, 16)] * 2)


def counted(boxes: list[Box]) -> NDArray[np.int64]:
    """How often each pixel of a 32x32 screen is covered."""
    count = np.zeros((32, 32), np.int64)
    for x, y, width, height in boxes:
        count[y : y + height, x : x + width] += 1
    return count


def test_intersect_and_subtract_by_hand() -> None:
    assert intersect(Box(0, 0, 4, 4), Box(2, 3, 9, 9)) == Box(2, 3, 2, 1)
    assert intersect(Box(0, 0, 4, 4), Box(4, 0, 4, 4)) is None
    assert intersect(Box(0, 0, 4, 4), Box(1, 1, 0, 0)) is None
    assert subtract(Box(0, 0, 3, 3), Box(1, 1, 1, 1)) == [
        Box(0, 0, 3, 1),
        Box(0, 1, 1, 1),
        Box(2, 1, 1, 1),
        Box(0, 2, 3, 1),
    ]
    assert subtract(Box(0, 0, 3, 3), Box(0, 0, 9, 9)) == []
    assert subtract(Box(0, 0, 3, 3), Box(3, 0, 9, 9)) == [Box(0, 0, 3, 3)]


@given(BOXES, BOXES)
def test_subtract_leaves_what_the_hole_does_not_cover(box: Box, hole: Box) -> None:
    rest = counted(subtract(box, hole))
    assert rest.max() <= 1
    assert (rest == (counted([box]) > counted([hole]))).all()


@given(st.lists(BOXES, max_size=12))
def test_disjoint_covers_the_same_once_and_little_more(boxes: list[Box]) -> None:
    kept = disjoint(boxes)
    once, sources = counted(kept), counted(boxes)
    assert once.max() <= 1
    assert (once[sources > 0] == 1).all()
    assert 4 * area(kept) <= 5 * np.count_nonzero(sources)


def test_disjoint_merges_neighbours_and_keeps_distant_ones_apart() -> None:
    assert disjoint([]) == []
    assert disjoint([Box(0, 0, 8, 4), Box(0, 4, 8, 4)]) == [Box(0, 0, 8, 8)]
    apart = [Box(0, 0, 2, 2), Box(20, 20, 2, 2)]
    assert disjoint(apart) == apart
    assert disjoint(apart, limit=1) == [Box(0, 0, 22, 22)]


@pytest.mark.parametrize(
    ("box", "heights"),
    [
        (Box(3, 5, 1024, 768), [64] * 12),
        (Box(0, 0, 800, 200), [64, 64, 64, 8]),
        (Box(0, 0, 65535, 3), [1, 1, 1]),
        (Box(7, 7, 1, 1), [1]),
    ],
)
def test_bands_cover_the_box_from_top_to_bottom(box: Box, heights: list[int]) -> None:
    cut = list(bands(box))
    assert [band.height for band in cut] == heights
    assert cut[0].y == box.y
    assert all(above.y + above.height == below.y for above, below in pairwise(cut))
    assert all((band.x, band.width) == (box.x, box.width) for band in cut)
    assert all(band.width * band.height <= 65536 for band in cut)
