"""The pixels of all slots: live screens, and the snapshots that agents get.

Theory of operation. `live` is one array (slots, height, width, 4) RGBX; each session's decoder
paints into its row whenever bytes arrive. A *snapshot* is a contiguous (slots, height, width, 3)
RGB array. Taking one copies only what changed since that very block of memory was last filled.

A snapshot is the agent's for as long as it holds it: a block is filled again only when nobody
refers to it any more (CPython counts the references of an array, and every view, tensor or buffer
made from it holds one). An agent that keeps `observation` and `next_observation` makes three
blocks go round; one that hoards observations simply gets fresh memory for each. Snapshots are
read-only, because the part that does not change is not copied again.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from auniverse.rfb import Allocate, Box, Damage, copy_rgb

Pixels = NDArray[np.uint8]

#: Blocks kept to be filled again; a hoarding agent's are let go.
BLOCKS_KEPT = 4


class _Block:
    """One snapshot's memory, and what of each slot is out of date in it."""

    def __init__(self, slots: int, height: int, width: int) -> None:
        self.pixels: Pixels = np.zeros((slots, height, width, 3), np.uint8)
        self.stale = [Damage() for _ in range(slots)]

    @property
    def references(self) -> int:
        return sys.getrefcount(self.pixels)

    @property
    def free(self) -> bool:
        return self.references <= OWN_REFERENCES


#: References to a block that nobody else holds. How many the interpreter itself takes to count
#: them is its own business, so it is measured.
OWN_REFERENCES = _Block(1, 1, 1).references


class Frames:
    """The screens of `slots` remotes. The first screen that opens sets the shape.

    A slot whose screen has another size shows its upper left part, on black.
    """

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.live: Pixels = np.zeros((slots, 0, 0, 4), np.uint8)
        self._screens: list[Pixels | None] = [None] * slots
        self._blocks: list[_Block] = []

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and 3: the shape of one observation; zeros before a screen opened."""
        return self.live.shape[1], self.live.shape[2], 3

    def allocator(self, slot: int) -> Allocate:
        """Return the function that gives slot `slot` its screen."""

        def allocate(width: int, height: int) -> Pixels:
            if not self.live.size:
                self.live = np.zeros((self.slots, height, width, 4), np.uint8)
                self._blocks.clear()
            fits = self.live.shape[1:3] == (height, width)
            screen = self.live[slot] if fits else np.zeros((height, width, 4), np.uint8)
            self._screens[slot] = screen
            self.damage(slot, [Box(0, 0, self.live.shape[2], self.live.shape[1])])
            return screen

        return allocate

    def damage(self, slot: int, boxes: Iterable[Box]) -> None:
        """Note what changed on a slot's live screen."""
        for box in boxes:
            for block in self._blocks:
                block.stale[slot].add(box)

    def snapshot(self, slots: Iterable[int]) -> Pixels:
        """Return the newest pixels, uint8 (slots, height, width, 3) RGB, read-only.

        Only the rows of the given `slots` are brought up to date.
        """
        block = self._free_block()
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

    def _free_block(self) -> _Block:
        for index, block in enumerate(self._blocks):
            if block.free:
                # the block used last is the least stale: keep the list in that order
                self._blocks.insert(0, self._blocks.pop(index))
                return block
        fresh = _Block(self.slots, *self.shape[:2])
        for slot, screen in enumerate(self._screens):
            if screen is not None:
                fresh.stale[slot].add(Box(0, 0, self.shape[1], self.shape[0]))
        self._blocks.insert(0, fresh)
        del self._blocks[BLOCKS_KEPT:]
        return fresh

    def _bring_up_to_date(self, block: _Block, slot: int) -> None:
        screen = self._screens[slot]
        if screen is None:
            return
        height, width, _ = self.shape
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
