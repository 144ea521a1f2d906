"""RRE and CoRRE: one colour, and rectangles of others on it (RFC 6143 §7.7.3; IANA encoding 4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from auniverse.errors import MalformedRectangleError

from ..framebuffer import Framebuffer
from ..types import Limits, Rectangle
from .pixels import COPIED, PIECE_WORK, canvas, fill

_HEAD = 8  # the number of subrectangles and the background
_AT_ONCE = 512  # subrectangles: Python's numbers take many times what they take on the wire
_MOST_PAINT = 2  # an honest server paints no pixel twice; this is times the rectangle's area


class RRE:
    """Decodes RRE."""

    #: One subrectangle: its colour, and where it is, inside the rectangle.
    _layout: ClassVar[np.dtype[np.void]] = np.dtype([("colour", "=u4"), ("box", ">u2", 4)])

    def __init__(self, limits: Limits) -> None:
        pass

    def measure(self, data: memoryview, offset: int, rectangle: Rectangle) -> int:
        """Return the payload's length in bytes, 8 as long as it cannot be told.

        Raises:
            MalformedRectangleError: It has more subrectangles than pixels.
        """
        if len(data) - offset < _HEAD:
            return _HEAD
        count = int.from_bytes(data[offset : offset + 4], "big")
        area = rectangle.width * rectangle.height
        if count > area:
            raise MalformedRectangleError(f"{count} subrectangles in {area} pixels")
        return _HEAD + count * self._layout.itemsize

    def paint(
        self, payload: memoryview, rectangle: Rectangle, framebuffer: Framebuffer
    ) -> Iterator[int]:
        """Paint the background, and the subrectangles in their order.

        Raises:
            MalformedRectangleError: One lies outside, or they paint far more than there is.
        """
        target = canvas(framebuffer, rectangle)
        yield from fill(target, np.frombuffer(payload, np.uint32, 1, offset=4)[0])
        every = np.frombuffer(payload, self._layout, offset=_HEAD)
        may_paint = _MOST_PAINT * target.size
        for first in range(0, len(every), _AT_ONCE):
            pieces = every[first : first + _AT_ONCE]
            boxes = pieces["box"].astype(np.int64)
            ends = boxes[:, :2] + boxes[:, 2:]
            if (ends > (rectangle.width, rectangle.height)).any():
                raise MalformedRectangleError("a subrectangle outside of it")
            may_paint -= int((boxes[:, 2] * boxes[:, 3]).sum())
            if may_paint < 0:
                raise MalformedRectangleError("its subrectangles paint it many times over")
            spans = np.hstack((boxes[:, :2], ends)).tolist()
            work = 0
            for colour, (left, top, right, bottom) in zip(pieces["colour"], spans, strict=True):
                piece = target[top:bottom, left:right]
                yield from fill(piece, colour)
                work += PIECE_WORK + piece.size
                if work > COPIED:
                    yield work
                    work = 0
            yield work


class CoRRE(RRE):
    """Decodes CoRRE: RRE whose rectangles are so small that a place takes single bytes."""

    _layout = np.dtype([("colour", "=u4"), ("box", "u1", 4)])
