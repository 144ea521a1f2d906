"""The pixels of all slots: live screens, and the snapshots that agents get.

Theory of operation. Each session's decoder paints its live screen, (height, width, 4) RGBX,
whenever bytes arrive. A *snapshot* is a contiguous (slots, height, width, 3) RGB array. Taking one
copies only what changed since that very block of memory was last filled, and only into memory that
nobody holds any more (see `blocks`). Snapshots are read-only, because the part that does not change
is not copied again.

Screens of different sizes. A batch has one shape, so its height and its width are those of the
largest screens that are open when the first snapshot is taken; they stay what they are. A smaller
screen is at the upper left, the rest is black; of one that comes larger later, the upper left part
is seen.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from auniverse.rfb import Allocate, Box, copy_rgb

from .blocks import AllocateBlock, Block, Blocks, Pixels, allocate_here


class Frames:
    """The screens of `slots` remotes.

    Args:
        slots: How many.
        allocate: Gives the memory of batches, `allocate(shape, dtype)`, zeros; memory of this
            process alone by default.
    """

    def __init__(self, slots: int, *, allocate: AllocateBlock = allocate_here) -> None:
        self.slots = slots
        self.screens: list[Pixels | None] = [None] * slots
        self._size: tuple[int, int] | None = None
        self._blocks = Blocks(allocate)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of a batch; before the first, of the largest screens; else zeros."""
        if self._size is not None:
            return self._size
        sizes = [screen.shape for screen in self.screens if screen is not None]
        return max((s[0] for s in sizes), default=0), max((s[1] for s in sizes), default=0)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and 3: the shape of one observation; zeros before a screen opened."""
        return *self.size, 3

    def grow(self, slots: int) -> None:
        """Make room for so many slots in all, if there is less."""
        if slots > self.slots:
            self.screens += [None] * (slots - self.slots)
            self.slots = slots
            self._blocks.clear()

    def forget(self, slot: int) -> None:
        """Let go of a slot's screen: its remote is gone for good."""
        self.screens[slot] = None
        self._blocks.damage(slot, self._whole)

    def allocator(self, slot: int) -> Allocate:
        """Return the function that gives slot `slot` its screen."""

        def allocate(width: int, height: int) -> Pixels:
            screen = self.screens[slot]
            self.screens[slot] = None  # two at a time would be one too many
            if screen is None or screen.shape[:2] != (height, width):
                del screen
                screen = np.zeros((height, width, 4), np.uint8)
            self.screens[slot] = screen
            self._blocks.damage(slot, self._whole)
            return screen

        return allocate

    def damage(self, slot: int, boxes: Iterable[Box]) -> None:
        """Note what changed on a slot's live screen."""
        for box in boxes:
            self._blocks.damage(slot, box)

    def snapshot(self, slots: Iterable[int]) -> Pixels:
        """Return the newest pixels, uint8 (slots, height, width, 3) RGB, read-only.

        Only the rows of the given `slots` are brought up to date.
        """
        if self._size is None and any(screen is not None for screen in self.screens):
            self._size = self.size
            self._blocks.clear()
        block = self._blocks.take((self.slots, *self.shape), self._whole)
        for slot in slots:
            self._bring_up_to_date(block, slot)
        view = block.pixels.view()
        view.flags.writeable = False
        return view

    def rows(self, slots: list[int]) -> Pixels:
        """Return the newest pixels of some slots, in that order, (len(slots), height, width, 3)."""
        if slots == list(range(self.slots)):
            return self.snapshot(slots)
        gathered = self.snapshot(slots)[slots]
        gathered.flags.writeable = False
        return gathered

    @property
    def _whole(self) -> Box:
        height, width = self.size
        return Box(0, 0, width, height)

    def _bring_up_to_date(self, block: Block, slot: int) -> None:
        screen = self.screens[slot]
        if screen is None:
            return
        height, width = self.size
        screen = screen[:height, :width]
        rows, columns, _ = screen.shape
        for x, y, w, h in block.stale[slot].take():
            there = Box(x, y, min(w, columns - x), min(h, rows - y))
            if there.width > 0 and there.height > 0:
                copy_rgb(screen, block.pixels[slot], there)
            if there[2:] != (w, h):
                old = block.pixels[slot, y : y + h, x : x + w]
                old[max(there.height, 0) :] = 0
                old[:, max(there.width, 0) :] = 0
