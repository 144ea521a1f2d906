"""How a pool waits for its slots when workers have them: it asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

from ..slot import NEVER, Slot
from ..times import Times
from ..waiting import Waiting, enough, give_up_at, refuse_exhausted, until_news
from .orders import Patience
from .shard import FarSlot, Shard


class Asking(Waiting):
    """A pool that asks workers for results.

    Each worker is asked once, and waits by itself for what is wanted of it. It is asked again only
    where the number of results decides, or where nobody played and the first who does is awaited.
    In real time a worker that says nothing at all, not even that it lives, does not play.

    Args:
        wake: See `Waiting`.
        times: See `Waiting`.
        shards: All of the pool's.
        block: Tells which block pixels go to.
        grace: Seconds past a deadline for which answers are waited for. Workers keep the deadline
            themselves; this is for their way back.
    """

    def __init__(
        self,
        wake: asyncio.Event,
        times: Times,
        shards: Sequence[Shard],
        block: Callable[[], int],
        grace: float,
    ) -> None:
        super().__init__(wake, times)
        self._shards = shards
        self._block = block
        self._grace = grace

    async def for_results(
        self, pending: list[Slot], min_envs: int | None, timeout: float | None
    ) -> list[Slot]:
        """As `Waiting.for_results`."""
        give_up = give_up_at(asyncio.get_running_loop().time(), timeout)
        patience, least = Patience.PLAYING, 1
        if min_envs is not None:
            everybody = min_envs >= sum(not slot.dead for slot in pending)
            patience, least = Patience.ALL if everybody else Patience.SOME, max(1, min_envs)
        await self._ask(pending, patience, least, give_up)
        return [slot for slot in pending if slot.ready(0.0)]

    async def for_episodes(self, chosen: list[Slot]) -> list[Slot]:
        """As `Waiting.for_episodes`."""
        await self._ask(chosen, Patience.RESET, len(chosen), NEVER)
        return self._begun(chosen)

    async def _ask(self, slots: list[Slot], patience: Patience, least: int, give_up: float) -> None:
        """Ask workers until there are enough results, or it is too late.

        Args:
            slots: Whose results.
            patience: What each worker is asked for.
            least: How many results are enough, where it is a matter of number.
            give_up: `loop.time()` at which it is too late.

        Raises:
            RemoteError: None can come any more; the error of the first slot that died.
        """
        for shard in self._shards:
            shard.answered = False
        until: float | None = None  # everybody is asked once, however late it is
        try:
            while True:
                if self.raises:
                    refuse_exhausted(slots)
                ready = [slot for slot in slots if slot.ready(0.0)]
                owing = self._owing(slots)
                if patience is Patience.PLAYING and not self.lockstep:
                    owing = {shard: theirs for shard, theirs in owing.items() if not shard.mute}
                if patience is Patience.PLAYING and not ready and _silent(owing):
                    patience = Patience.SOME  # nobody plays: wait for the first who does
                if self._suffice(patience, slots, ready, least, owing):
                    return
                now = asyncio.get_running_loop().time()
                self._ask_once(owing, patience, give_up, now)
                until = max(give_up, now) + self._grace if until is None else until
                if now >= give_up and (_silent(owing) or now >= until):
                    return
                await self._by_the_watch(until_news(slots, self._wake, until))
        finally:
            for shard in self._shards:
                shard.withdraw()

    def _owing(self, slots: list[Slot]) -> dict[Shard, list[FarSlot]]:
        """Return who has to answer, and for which slots."""
        wanted = set(slots)
        owing = {
            shard: [slot for slot in shard.slots.values() if slot in wanted and not slot.ready(0.0)]
            for shard in self._shards
            if shard.worker is not None
        }
        return {shard: theirs for shard, theirs in owing.items() if theirs}

    def _suffice(
        self,
        patience: Patience,
        slots: list[Slot],
        ready: list[Slot],
        least: int,
        owing: Iterable[Shard],
    ) -> bool:
        if patience is Patience.RESET:
            return _silent(owing)
        reached = enough(slots, ready, least, lockstep=self.lockstep)  # raises if none can come
        return _silent(owing) and bool(ready) if patience is Patience.PLAYING else reached

    def _ask_once(
        self, owing: dict[Shard, list[FarSlot]], patience: Patience, give_up: float, now: float
    ) -> None:
        seconds = None if give_up == NEVER else max(0.0, give_up - now)
        again = patience in (Patience.SOME, Patience.ALL) and now < give_up
        for shard, slots in owing.items():
            if shard.asked is None and (again or not shard.answered):
                shard.ask(slots, patience, seconds, self._block())


def _silent(shards: Iterable[Shard]) -> bool:
    """Tell whether all of them have said what there is to say."""
    return all(shard.answered and shard.asked is None for shard in shards)
