from __future__ import annotations

import struct

import pytest

from auniverse.errors import MalformedRectangleError

from ..conftest import Shred
from ..wire import COPY_RECT, feed, rectangle, screen, update


@pytest.mark.parametrize(
    ("target", "source"),
    [
        ((0, 0), (4, 4)),  # apart
        ((1, 1), (0, 0)),  # overlapping, every way round
        ((0, 0), (1, 1)),
        ((1, 0), (0, 1)),
        ((0, 1), (1, 0)),
        ((0, 1), (0, 0)),
        ((1, 0), (0, 0)),
        ((2, 2), (2, 2)),
    ],
)
def test_a_copy(target: tuple[int, int], source: tuple[int, int], shred: Shred) -> None:
    framebuffer = screen(8, 8)
    before = framebuffer.pixels.copy()
    expected = before.copy()
    (x, y), (left, top) = target, source
    expected[y : y + 3, x : x + 4] = before[top : top + 3, left : left + 4]
    data = update(rectangle(x, y, 4, 3, COPY_RECT, struct.pack(">HH", left, top)))
    feed(framebuffer, shred(data))
    assert (framebuffer.pixels == expected).all()


@pytest.mark.parametrize("source", [(5, 0), (0, 6), (65535, 65535)])
def test_a_source_off_the_screen(source: tuple[int, int]) -> None:
    framebuffer = screen(8, 8)
    before = framebuffer.pixels.copy()
    data = update(rectangle(0, 0, 4, 3, COPY_RECT, struct.pack(">HH", *source)))
    with pytest.raises(MalformedRectangleError, match=r"COPY_RECT 4x3 at \(0, 0\): copied from"):
        feed(framebuffer, [data])
    assert (framebuffer.pixels == before).all()
