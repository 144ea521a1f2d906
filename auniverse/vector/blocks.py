"""Memory for batches: blocks that are filled again once nobody holds them.

A block is the agent's for as long as it holds it: CPython counts the references of an array, and
every view, tensor or buffer made from it holds one. An agent that keeps `observation` and
`next_observation` makes three blocks go round; one that hoards observations simply gets fresh
memory for each.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auniverse.rfb import Box, Damage

Pixels = NDArray[np.uint8]
#: Gives the memory of a block, of that shape: zeros, of the dtype asked for, writable.
AllocateBlock = Callable[[tuple[int, ...], type[np.generic]], NDArray[Any]]

#: Blocks kept to be filled again; a hoarding agent's are let go.
BLOCKS_KEPT = 4


def allocate_here(shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[Any]:
    """Return memory of this process alone."""
    return np.zeros(shape, dtype)


class Block:
    """One batch's memory, and what of each slot is out of date in it.

    Args:
        shape: Of the pixels; the first axis counts slots.
        allocate: Gives the memory.

    Attributes:
        pixels: uint8, of that shape.
        stale: For each slot, where its pixels are old.
    """

    def __init__(self, shape: tuple[int, ...], allocate: AllocateBlock) -> None:
        memory = allocate(shape, np.uint8)
        if memory.shape != shape or memory.dtype != np.uint8 or not memory.flags.writeable:
            raise ValueError(f"allocate gave {memory.dtype}{memory.shape} for uint8{shape}")
        # A view refers to the array at the end of its chain of views. This has to be ours, whatever
        # larger memory ours may be a part of: a buffer in between ends the chain here.
        self.pixels: Pixels = np.asarray(memory.data)
        self.stale = [Damage() for _ in range(shape[0])]

    @property
    def references(self) -> int:
        """How many refer to the memory, with ourselves."""
        return sys.getrefcount(self.pixels)

    @property
    def free(self) -> bool:
        """Whether nobody else holds the memory."""
        return self.references <= OWN_REFERENCES


#: References to a block that nobody else holds. How many the interpreter itself takes to count
#: them is its own business, so it is measured.
OWN_REFERENCES = Block((1, 1), allocate_here).references


class Blocks:
    """The blocks that go round between the pool and its agent.

    Args:
        allocate: Gives their memory.
    """

    def __init__(self, allocate: AllocateBlock = allocate_here) -> None:
        self._allocate = allocate
        self._blocks: list[Block] = []

    def clear(self) -> None:
        """Let go of all of them, as when their shape changes."""
        self._blocks.clear()

    def damage(self, slot: int, box: Box) -> None:
        """Note that what slot `slot` shows in `box` has changed."""
        for block in self._blocks:
            block.stale[slot].add(box)

    def take(self, shape: tuple[int, ...], whole: Box) -> Block:
        """Return a block that nobody holds, the one filled last if there are several.

        Args:
            shape: Of a fresh one, if all are held.
            whole: What is stale in a fresh one, in every slot.
        """
        for index, block in enumerate(self._blocks):
            if block.free:
                # the block used last is the least stale: keep the list in that order
                self._blocks.insert(0, self._blocks.pop(index))
                return block
        fresh = Block(shape, self._allocate)
        for stale in fresh.stale:
            stale.add(whole)
        self._blocks.insert(0, fresh)
        del self._blocks[BLOCKS_KEPT:]
        return fresh
