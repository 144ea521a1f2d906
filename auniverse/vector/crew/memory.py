"""The batch in memory that all processes of a pool share.

Theory of operation. The memory is a file without a name: it is gone with the last process that
holds it, however that ends. Workers inherit it. It holds `COUNT` *blocks*, each one whole batch.
Workers write the rows of their slots into the *current* block; only the pool's process hands blocks
out, and it gives workers another one when it has handed out the current one.

The guarantee is that of `Frames`: what was handed out is the agent's for as long as it refers to
it. That is decided by counting references, so only this process can hold a block. An agent that
holds all but the current one gets copies.

Each block has room for slots that come later: the file is sparse, and rows that nobody writes are
nowhere but in the address space.
"""

from __future__ import annotations

import math
import mmap
import os
import sys
import tempfile
from functools import partial

import numpy as np
from numpy.typing import NDArray

from auniverse.rfb import Box

from ..blocks import AllocateBlock, Block, Blocks, allocate_here
from ..shared import map_shared

Pixels = NDArray[np.uint8]

#: Rows of a block beyond those of the slots that there are at first.
ROOM = 256
#: Blocks: one that is written, and as many as an agent can hold before it gets copies.
COUNT = 4


def nameless_file() -> int:
    """Return the descriptor of a new, empty file that has no name."""
    if sys.platform == "linux":
        return os.memfd_create("auniverse", os.MFD_CLOEXEC)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def map_blocks(file: int, shape: tuple[int, ...]) -> list[Pixels]:
    """Map the file's blocks, each uint8 of that shape; an empty file grows to hold them."""
    stride = -(-math.prod(shape) // mmap.PAGESIZE) * mmap.PAGESIZE
    if not os.fstat(file).st_size:
        os.ftruncate(file, COUNT * stride)
    mapped = map_shared(os.dup(file), COUNT * stride)
    return [
        np.ndarray(shape, np.uint8, buffer=mapped, offset=number * stride)
        for number in range(COUNT)
    ]


def _given(pixels: Pixels, shape: tuple[int, ...], dtype: type[np.generic]) -> Pixels:
    return pixels


class SharedBlocks(Blocks):
    """The blocks, as a worker sees them, which writes the rows of its slots.

    Attributes:
        current: The number of the block to be written.
        settled: Whether they are there.
    """

    def __init__(self, file: int) -> None:
        super().__init__()
        self.current = 0
        self._file = file
        self._mapped: list[Pixels] = []

    @property
    def settled(self) -> bool:
        """Whether their shape is known."""
        return bool(self._mapped)

    def settle(self, shape: tuple[int, ...]) -> None:
        """Map them, given their shape, with the rows of all workers."""
        self._mapped = map_blocks(self._file, shape)

    def clear(self) -> None:
        """Keep them: they have room for more slots, and their shape stays."""

    def take(self, shape: tuple[int, ...], whole: Box) -> Block:
        """Return the current one: the other side knows that nobody holds it."""
        for pixels in self._mapped[len(self._blocks) :]:
            block = Block(pixels.shape, partial(_given, pixels))
            for stale in block.stale:
                stale.add(whole)
            self._blocks.append(block)
        return self._blocks[self.current]


class Batches:
    """The blocks, as the process sees them that hands them out.

    Args:
        file: The descriptor of the file.
        shape: Of a block.
        allocate: Gives the memory of copies.
        copy: Whether everything that is handed out is a copy, writable and the agent's own.

    Attributes:
        shape: Of a block.
        current: The number of the one that is being written.
    """

    def __init__(
        self,
        file: int,
        shape: tuple[int, ...],
        *,
        allocate: AllocateBlock = allocate_here,
        copy: bool = False,
    ) -> None:
        self.shape = shape
        self._allocate = allocate
        self._copy = copy
        self.current = 0
        self._blocks = map_blocks(file, shape)
        self._order = list(range(COUNT))  # the one written last comes first: it is the least stale
        self._newest = [0] * shape[0]  # which block holds the newest pixels of each row
        self._own = self._references(0)  # nobody else has seen it yet

    def write(self, row: int, pixels: Pixels | None = None) -> None:
        """Write one row of the current block; without pixels, what was last written there."""
        if pixels is None and self._newest[row] != self.current:
            pixels = self._blocks[self._newest[row]][row]
        if pixels is not None:
            self._blocks[self.current][row] = pixels
        self.note(row)

    def note(self, row: int) -> None:
        """Somebody else has written the row of the current block."""
        self._newest[row] = self.current

    def forget(self, row: int) -> None:
        """A row's slot is gone: its pixels are nobody's."""
        self._blocks[self.current][row] = 0
        self.note(row)

    def newest(self, row: int) -> Pixels:
        """Return a copy of what was last written into a row."""
        return np.array(self._blocks[self._newest[row]][row])

    def take(self, rows: list[int], *, whole: bool = True) -> Pixels:
        """Return some rows of the current block.

        Args:
            rows: Which ones.
            whole: Whether that is a whole batch: then they are not copied, if that can be.
        """
        block = self._blocks[self.current]
        if self._copy:
            return np.take(block, rows, axis=0)
        begin = rows[0] if rows else 0
        together = rows == list(range(begin, begin + len(rows)))
        if whole and together and self._move_on():
            taken = block[begin : begin + len(rows)]
        else:
            taken = self._allocate((len(rows), *self.shape[1:]), np.uint8)
            np.take(block, rows, axis=0, out=taken)
        taken.flags.writeable = False
        return taken

    def _move_on(self) -> bool:
        for number in self._order:
            if number != self.current and self._references(number) <= self._own:
                self._order.remove(self.current)
                self._order.insert(0, self.current)
                self.current = number
                return True
        return False

    def _references(self, number: int) -> int:
        return sys.getrefcount(self._blocks[number])
