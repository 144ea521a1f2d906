"""What changed on a screen, and whether all of it came anew."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from auniverse.rfb import Box, Damage


class SeenDamage(Damage):
    """Damage that can also tell when every pixel has been sent anew."""

    def __init__(self) -> None:
        super().__init__()
        self._unseen: NDArray[np.uint8] | None = None  # a bit for each pixel, rows of bytes

    def watch(self, width: int, height: int) -> None:
        """Begin to note which pixels arrive."""
        self.settle()
        self._unseen = np.tile(np.packbits(np.ones(width, np.bool_)), (height, 1))

    @property
    def complete(self) -> bool:
        """Whether every pixel has arrived since `watch`; true if nobody watches."""
        self.settle()
        if self._unseen is not None and not self._unseen.any():
            self._unseen = None
        return self._unseen is None

    def extend(self, boxes: list[Box]) -> None:
        """Note that all of `boxes` changed."""
        if self._unseen is None:
            super().extend(boxes)
        else:
            for box in boxes:
                self.add(box)

    def add(self, box: Box) -> None:
        """Note that `box` changed."""
        super().add(box)
        if self._unseen is not None:
            x, y, width, height = box
            first, end = x >> 3, (x + width + 7) >> 3
            keep = np.ones(8 * (end - first), np.bool_)
            keep[x - 8 * first :][:width] = False
            unseen = self._unseen[y : y + height, first:end]  # less of it if the screen has grown
            unseen &= np.packbits(keep)[: unseen.shape[1]]
