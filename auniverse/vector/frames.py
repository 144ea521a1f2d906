"""The pixels of all slots: live screens, and the snapshots that agents get.

Theory of operation. Each session's decoder paints its live screen, (height, width, 4) RGBX,
whenever bytes arrive. A *snapshot* is a contiguous array of what the agent sees of each slot (its
`View`). Taking one copies only what changed since that very block of memory was last filled, and
only into memory that nobody holds any more (see `blocks`). Snapshots are read-only, because the
part that does not change is not copied again.

Screens of different sizes. A batch has one shape. With a `size` every screen becomes as large as
that; with a `crop` alone, as large as the crop. Else height and width are those of the largest
screens that are open when the first snapshot is taken; they stay what they are. A smaller screen is
at the upper left, the rest is black; of one that comes larger later, the upper left part is seen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np

from auniverse.errors import UsageError
from auniverse.links import Stopwatch
from auniverse.rfb import Allocate, Box, Copies, copy_all, snapshot

from .blocks import AllocateBlock, Block, Blocks, Pixels, allocate_here
from .pane import Pane
from .shared import allocate_shared
from .view import View


class Frames:
    """The screens of some remotes, as an agent sees them.

    Args:
        slots: How many.
        view: What the agent sees of a screen; None: all of it.
        copy: Whether what it gets is a copy, writable and its own.
        allocate: Gives the memory of batches, `allocate(shape, dtype)`, zeros: of all slots, and of
            some, where those have no memory side by side. Memory of this process alone by default.

    Raises:
        UsageError: Copies cannot be in shared memory.

    Attributes:
        panes: For each slot its screen.
        blocks: The memory of batches.
        stopwatch: Seconds that went to painting the screens.
    """

    def __init__(
        self,
        slots: int,
        *,
        view: View | None = None,
        copy: bool = False,
        allocate: AllocateBlock = allocate_here,
    ) -> None:
        if copy and allocate is allocate_shared:
            raise UsageError("copy=True: a copy is the caller's alone, and in no shared memory")
        self._copy = copy
        self.stopwatch = Stopwatch()
        self.view = view or View()
        self._screens: AllocateBlock = allocate_here
        self.panes = [self._pane() for _ in range(slots)]
        self._size: tuple[int, int] | None = None
        self._allocate = allocate
        self.blocks = Blocks(allocate)

    def _pane(self) -> Pane:
        return Pane(self.view, self._screens)

    def keep_screens_in(self, allocate: AllocateBlock) -> None:
        """Have screens that open from now on in that kind of memory; none may be open."""
        self._screens = allocate
        self.panes = [self._pane() for _ in self.panes]

    @property
    def slots(self) -> int:
        """How many slots there are."""
        return len(self.panes)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the screens; before the first snapshot, of the largest; or zeros."""
        if self._size is not None:
            return self._size
        sizes = [pane.screen.shape for pane in self.panes if pane.screen is not None]
        return max((s[0] for s in sizes), default=0), max((s[1] for s in sizes), default=0)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one observation (`View.shape`), with zeros while it is not known."""
        return self.view.shape(*self.size)

    def settle(self, size: tuple[int, int]) -> None:
        """Take screens to have that height and width from here on, whatever they have."""
        self._size = size
        self.blocks.clear()

    def check(self) -> None:
        """Make sure that there is something to see.

        Raises:
            UsageError: Screens are open, and the crop lies on none of them.
        """
        sizes = {pane.screen.shape[:2] for pane in self.panes if pane.screen is not None}
        crop = self.view.crop
        if crop and sizes and not any(crop[1] < size[0] and crop[0] < size[1] for size in sizes):
            screens = ", ".join(f"{width}x{height}" for height, width in sorted(sizes))
            raise UsageError(f"crop={crop} (x, y, width, height) lies on no screen: {screens}")

    def grow(self, slots: int) -> None:
        """Make room for so many slots in all, if there is less."""
        if slots > self.slots:
            self.panes += [self._pane() for _ in range(slots - self.slots)]
            self.blocks.clear()

    def forget(self, slot: int) -> None:
        """Let go of a slot's screen: its remote is gone for good."""
        self.panes[slot] = self._pane()
        self.blocks.forget(slot, self._whole)

    def allocator(self, slot: int) -> Allocate:
        """Return the function that gives slot `slot` its screen."""
        return self.panes[slot].open

    def damage(self, slot: int, boxes: Iterable[Box]) -> None:
        """Note what changed on a slot's live screen."""
        self.panes[slot].damage(boxes)

    def screen(self, slot: int) -> Pixels:
        """Return a copy of all of a slot's live screen, uint8 (height, width, 3) RGB."""
        screen = self.panes[slot].screen
        return np.zeros((0, 0, 3), np.uint8) if screen is None else snapshot(screen)

    def snapshot(self, slots: Iterable[int], first: Collection[int] = ()) -> Pixels:
        """Return what is to be seen now, uint8 (slots, *shape), read-only.

        Only the rows of the given `slots` are brought up to date.

        Args:
            slots: Which ones.
            first: Those of them that show the first picture of an episode.
        """
        if self._size is None and any(pane.screen is not None for pane in self.panes):
            self.settle(self.size)
        block = self.blocks.take((self.slots, *self.shape), self._whole)
        jobs = [self._bring_up_to_date(block, slot, slot in first) for slot in slots]
        copy_all([job for job in jobs if job is not None])
        view = block.pixels.view()
        view.flags.writeable = False
        return view

    def rows(self, slots: list[int], first: Collection[int] = ()) -> Pixels:
        """Return what is to be seen in some slots, in that order; see `snapshot`."""
        everything = self.snapshot(slots, first)
        begin = slots[0] if slots else 0
        if self._copy:
            return np.take(everything, slots, axis=0)
        if slots == list(range(begin, begin + len(slots))):
            return everything[begin : begin + len(slots)]
        gathered: Pixels = self._allocate((len(slots), *everything.shape[1:]), np.uint8)
        np.take(everything, slots, axis=0, out=gathered)
        gathered.flags.writeable = False
        return gathered

    @property
    def _whole(self) -> Box:
        height, width = self.view.picture(*self.size)
        return Box(0, 0, width, height)

    def _bring_up_to_date(self, block: Block, slot: int, first: bool) -> Copies | None:
        pane = self.panes[slot]
        if pane.still and not block.stale[slot]:
            return None
        changed = pane.develop(self.size)
        if pane.stack is not None and pane.picture is not None:
            pane.stack.push(pane.picture, changed, first=first)
        else:
            for box in changed:
                self.blocks.damage(slot, box)
        return pane.fill(block, slot)
