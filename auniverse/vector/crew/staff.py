"""Who is in a pool with workers: slots come and go, and each is some worker's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from itertools import count
from typing import cast

from ..members import Members
from ..slot import Slot
from .employer import Employer
from .shard import FarSlot, Shard


class Staff(Members):
    """The slots of a pool, in shards, and a task for each shard, which keeps a worker on it.

    A slot that comes later goes where there are fewest; a shard that is left empty ends with its
    worker.

    Args:
        slots: Those of the beginning, by ascending index.
        employer: Keeps workers on shards.
        wake: Set by whatever happens to one of them.
        workers: So many shards at most.
        dismissed: Called with the number of a shard that is no more.

    Attributes:
        shards: Those that there are.
    """

    def __init__(
        self,
        slots: list[Slot],
        employer: Employer,
        wake: asyncio.Event,
        workers: int,
        dismissed: Callable[[int], None],
    ) -> None:
        super().__init__(slots, employer, wake)
        self.shards: list[Shard] = []
        self._workers = workers
        self._dismissed = dismissed

    def _begin(self, slots: Iterable[Slot]) -> None:
        for shard, new in self._shared_out(cast(Iterable[FarSlot], slots)).items():
            shard.enter(new)
            if shard not in self.shards:
                self.shards.append(shard)
                self._employ(shard)

    def _shared_out(self, slots: Iterable[FarSlot]) -> dict[Shard, list[FarSlot]]:
        """Return the shards that get some slots, and which; neighbours stay together."""
        slots = list(slots)
        taken = {shard.number for shard in self.shards}
        free = (number for number in count() if number not in taken)
        room = range(min(self._workers - len(self.shards), len(slots)))
        shards = [*self.shards, *(Shard(number) for _, number in zip(room, free, strict=False))]
        sizes = {shard: len(shard.slots) for shard in shards}
        for _ in slots:
            sizes[min(sizes, key=lambda shard: sizes[shard])] += 1
        parts = {}
        for shard, size in sizes.items():
            if more := size - len(shard.slots):
                parts[shard], slots = slots[:more], slots[more:]
        return parts

    async def _end(self, slots: Iterable[Slot]) -> None:
        leaving: dict[Shard, list[FarSlot]] = {}
        for slot in cast(Iterable[FarSlot], slots):
            leaving.setdefault(slot.shard, []).append(slot)
        async with asyncio.TaskGroup() as group:
            for shard, theirs in leaving.items():
                group.create_task(self._let_go(shard, theirs))

    async def _let_go(self, shard: Shard, slots: list[FarSlot]) -> None:
        if shard.slots.keys() > {slot.index for slot in slots}:
            await shard.leave(slots)
            return
        shard.slots.clear()
        self.shards.remove(shard)
        await self._dismiss([shard])
        self._dismissed(shard.number)
