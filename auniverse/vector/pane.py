"""One slot's screen, and the picture that its agent sees of it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from auniverse.rfb import Box, Copies

from .blocks import AllocateBlock, Block, allocate_here
from .stack import Stack
from .view import Lens, View

Pixels = NDArray[np.uint8]

_NOTHING: Pixels = np.zeros((0, 0, 4), np.uint8)
#: Damage that is kept apart; past that all of the screen counts as changed.
BOXES_KEPT = 256


class Pane:
    """One slot's screen, and the picture that its agent sees of it.

    Plain pixels go from the screen straight to the agent. What takes work, such as a smaller
    picture, is kept here, so that the work is done once for each change of the screen.

    Args:
        view: What the agent sees.
        allocate: Gives the memory of the screen, zeros.

    Attributes:
        screen: The live screen, uint8 (height, width, 4) RGBX; None before it opened.
        picture: uint8, the shape of `View.single_shape`; None if it is not kept.
        stack: The pictures before it; None if they are not seen.
    """

    def __init__(self, view: View, allocate: AllocateBlock = allocate_here) -> None:
        self.screen: Pixels | None = None
        self.picture: Pixels | None = None
        self.stack: Stack | None = None
        self._view = view
        self._allocate = allocate
        self._canvas = _NOTHING
        self._channels: Pixels = _NOTHING  # the picture, with an axis for its channels
        self._lens: Lens | None = None
        self._damage: list[Box] = []

    def open(self, width: int, height: int) -> Pixels:
        """Return the memory of a screen that opens; the one before is gone."""
        shape = (*self._view.canvas(height, width), 4)
        self.screen = self._lens = None
        if self._canvas.shape != shape:
            self._canvas = _NOTHING  # two at a time would be one too many
            self._canvas = self._allocate(shape, np.uint8)
        self._canvas[...] = 0
        self.screen = self._canvas[:height, :width]
        return self.screen

    def damage(self, boxes: Iterable[Box]) -> None:
        """Note what changed on the screen."""
        self._damage.extend(boxes)
        if len(self._damage) > BOXES_KEPT:
            self._damage = [Box(0, 0, self._canvas.shape[1], self._canvas.shape[0])]

    @property
    def still(self) -> bool:
        """Whether all is as it was last developed, and nothing moves on by itself."""
        return not self._damage and self._lens is not None and self.stack is None

    def develop(self, size: tuple[int, int]) -> list[Box]:
        """Return where the picture has changed since last asked; one that is kept is changed.

        Args:
            size: Height and width of the screens of all slots, always the same.
        """
        damage, self._damage = self._damage, []
        if self._lens is None:
            if self.screen is None:
                return []
            height, width = self._view.picture(*size)
            self._lens = self._look(height, width)
            damage = [Box(0, 0, self._canvas.shape[1], self._canvas.shape[0])]
            if self._view.develops:
                self._lens.paint(self._channels, damage)
            return [Box(0, 0, width, height)]
        if self._view.develops:
            return self._lens.paint(self._channels, damage)
        return self._lens.places(damage)

    def _look(self, height: int, width: int) -> Lens:
        """Look at a new screen; nothing of the one before is left in the picture."""
        screen = self.screen if self._view.size is None else self._canvas
        assert screen is not None
        if self._view.develops:
            if self.picture is None:
                channels = 1 if self._view.grey else 3
                self._channels = np.zeros((height, width, channels), np.uint8)
                self.picture = self._channels[..., 0] if self._view.grey else self._channels
                if self._view.stack > 1:
                    self.stack = Stack(self._view.stack, self.picture.shape)
            self._channels[...] = 0
        return Lens(self._view, screen, (height, width))

    def fill(self, block: Block, slot: int) -> Copies | None:
        """Bring a slot's part of a block up to date with what was developed last.

        Returns:
            What is left to be copied from the screen, None for nothing.
        """
        if self.stack is not None:
            self.stack.fill(block, slot)
            return None
        stale = block.stale[slot].take()
        if self.picture is None:
            return None if self._lens is None else self._lens.copies(block.pixels[slot], stale)
        target = block.pixels[slot]
        for x, y, width, height in stale:
            part = slice(y, y + height), slice(x, x + width)
            target[part] = self.picture[part]
        return None
