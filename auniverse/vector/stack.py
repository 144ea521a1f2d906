"""The newest pictures of each slot, as one array, the oldest first.

Theory of operation. A ring for each slot holds its newest `depth` pictures, and a log says where
each of them differs from the one before. A block holds the stack as it was when it was last filled:
picture p of it has to become a picture that is some results younger, and they differ where the log
says so for those in between. Nothing else is copied. Small pictures are copied whole instead, as
one copy costs less than to find out what to copy.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from auniverse.rfb import Box

from .blocks import Block

Pixels = NDArray[np.uint8]

#: Pictures of so many bytes are copied whole.
SMALL = 64 * 1024
#: Results for which it is known what changed. A block that is older is filled anew.
LOGGED = 16


class Stack:
    """The newest pictures of one slot.

    Args:
        depth: How many.
        shape: Of one picture: height, width and what there is for each pixel.
    """

    def __init__(self, depth: int, shape: tuple[int, ...]) -> None:
        self.depth = depth
        self._ring: Pixels = np.zeros((depth, *shape), np.uint8)
        self._log: deque[list[Box]] = deque(maxlen=depth + LOGGED)
        self._number = 0  # of the newest picture
        self._still = depth  # results since the newest picture was another than that before it
        self._small = self._ring[0].nbytes <= SMALL

    def push(self, picture: Pixels, changed: list[Box], *, first: bool) -> None:
        """Take a slot's newest picture.

        Args:
            picture: The whole of it.
            changed: Where it differs from the one before.
            first: It is the first of an episode: forget those before it.
        """
        self._number += 1
        if first:
            self._ring[:] = picture
            self._log.clear()
            self._number += self.depth + LOGGED  # no block has anything of it
            self._still = self.depth
            return
        self._log.append(changed)
        self._still = 0 if changed else self._still + 1
        if self._still < self.depth:
            oldest = self._ring[self._number % self.depth]
            self._copy(oldest, picture, self._changes(self._number - self.depth, self._number))

    def fill(self, block: Block, slot: int) -> None:
        """Bring a slot's stack in a block up to date."""
        has, block.newest[slot] = block.newest[slot], self._number
        if has == self._number:
            return
        for place in range(self.depth):
            behind = self.depth - 1 - place
            changes = self._changes(has - behind, self._number - behind)
            picture = self._ring[(self._number - behind) % self.depth]
            self._copy(block.pixels[slot, place], picture, changes)

    def _changes(self, one: int, other: int) -> list[Box] | None:
        """Return where two pictures differ, given their numbers; None if that is not known."""
        oldest = self._number - len(self._log)
        if one < oldest:
            return None
        logged = (self._log[number - oldest - 1] for number in range(one + 1, other + 1))
        return [box for boxes in logged for box in boxes]

    def _copy(self, target: Pixels, source: Pixels, changes: list[Box] | None) -> None:
        if changes is not None and not changes:
            return
        if (
            changes is None
            or self._small
            or sum(box.width * box.height for box in changes) >= source.shape[0] * source.shape[1]
        ):
            target[...] = source
            return
        for x, y, width, height in changes:
            target[y : y + height, x : x + width] = source[y : y + height, x : x + width]
