"""The remotes of one launch, or of one client, in a swarm."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import count, islice

from auniverse.address import Remote
from auniverse.errors import ProvisionError, RemoteNotReadyError

from ..docker.owner import Claim
from ..fleet import Keeper
from .berth import Berth
from .board import Board, Service, fresh_name, last_words
from .reach import Swarm
from .sight import Sight
from .verdict import judge
from .wanted import Wanted

_log = logging.getLogger(__name__)

#: Called with a remote's name and what it does: "creating", the states of its task, "ready".
Progress = Callable[[str, str], None]

#: Seconds between two looks at the swarm while something is waited for; the last repeats.
_PAUSES = (0.05, 0.05, 0.1, 0.1, 0.2)
#: Seconds for which nothing may be left but what the swarm finds no node for: one that has just
#: joined or come back may not be counted yet.
_SETTLED = 2.0
#: Services that are made at a time.
_AT_ONCE = 8


class Roster:
    """Services of one client that run one runtime.

    Args:
        swarm: Which.
        wanted: What they are made of.
        timeout: Seconds that each may take to get ready.
        keep: Whether they go on when it is closed, and earlier ones of the client are taken again.
        progress: See `Progress`.
    """

    def __init__(
        self, swarm: Swarm, wanted: Wanted, timeout: float, *, keep: bool, progress: Progress
    ) -> None:
        self.board = Board(swarm)
        self._swarm = swarm
        self._wanted = wanted
        self._timeout = timeout
        self._keep = keep
        self._progress = progress
        self._berths: list[Berth] = []

    async def open(self, n: int, *, whole: bool = False) -> list[tuple[Remote, Keeper]]:
        """Take what was kept, and make the rest.

        Args:
            n: How many.
            whole: The client is to have `n` and no more, also of those that others are using.

        Raises:
            ProvisionError: Not all can be placed and played; then none that is new is left.
        """
        await self.board.look()
        kept, surplus = await self._find(n, whole=whole)
        self._berths += kept
        await self.board.remove(surplus)
        try:
            await self.settle(kept)
        except BaseException:
            if not whole:
                await self._end(kept)
            raise
        return self._given(kept) + await self.start(n - len(kept))

    async def start(self, n: int) -> list[tuple[Remote, Keeper]]:
        """Make so many more: all, or none and a ProvisionError."""
        taken = {berth.service.slot for berth in self._berths}
        slots = list(islice((slot for slot in count() if slot not in taken), n))
        gate = asyncio.Semaphore(_AT_ONCE)
        made: list[Berth] = []

        async def make(slot: int) -> None:
            async with gate:
                made.append(await self._create(slot))

        try:
            async with asyncio.TaskGroup() as group:
                for slot in slots:
                    group.create_task(make(slot))
            made.sort(key=lambda berth: berth.service.slot)
            self._berths += made
            await self.settle(made)
        except ExceptionGroup as failures:  # the first ended the others; it says enough
            await self._end(made)
            raise failures.exceptions[0] from None
        except BaseException:
            await self._end(made)
            raise
        return self._given(made)

    async def settle(self, berths: list[Berth]) -> None:
        """Wait until the swarm has placed all of some, and each can be played.

        Raises:
            RemoteNotReadyError: It takes too long.
            ProvisionError: It will not happen; both messages say what became of all, and what
                helps.
        """
        loop = asyncio.get_running_loop()
        began, stuck_since, attempt = loop.time(), None, 0
        for berth in berths:
            berth.begin(self._timeout)
        try:
            while True:
                sight = await self.board.look()
                lookings = [looking for berth in berths if (looking := _advance(berth))]
                left = [berth for berth in berths if berth.ready is None]
                if not left:
                    return
                if hopeless := next((berth for berth in left if berth.hopeless), None):
                    raise await self._failed(sight, hopeless)
                if all(berth.stuck for berth in left):
                    stuck_since = stuck_since or loop.time()
                    if loop.time() - stuck_since > _SETTLED:
                        raise await self._failed(sight)
                else:
                    stuck_since = None
                if loop.time() - began > self._timeout:
                    raise await self._late(sight, left[0])
                pause = _PAUSES[min(attempt, len(_PAUSES) - 1)]
                attempt += 1
                if lookings:
                    await asyncio.wait(lookings, timeout=pause)
                else:
                    await asyncio.sleep(pause)
        finally:
            for berth in berths:
                berth.end_waiting()

    async def close(self) -> None:
        """End everything, or leave what is kept to whoever comes next."""
        if self._keep:
            for berth in self._berths:
                berth.release()
        else:
            await self._end(self._berths)

    # -- inside --------------------------------------------------------------------------------

    async def _find(self, n: int, *, whole: bool) -> tuple[list[Berth], list[Service]]:
        """Return those of the client that may be taken, and those that are to end."""
        await self._sweep()
        if not self._keep:
            return [], []
        recipe = self._wanted.recipe
        kind = self._wanted.kind
        kept: list[Berth] = []
        surplus: list[Service] = []
        for service in await self.board.services(self._swarm.owner.name):
            who = (service.client_id, service.runtime)
            if who != (recipe.client_id, recipe.runtime.name):
                continue
            claim = None if whole else self._swarm.owner.claim(service.name)
            if claim is None and not whole:
                continue  # somebody is using it
            task = self.board.sight.current(service.id)
            fits = kind.items() <= service.labels.items() and service.image == recipe.image
            twice = service.slot in {berth.service.slot for berth in kept}
            if len(kept) < n and not twice and fits and task is not None and task.wanted:
                kept.append(self._berth(service, claim))
                continue
            if claim is not None:
                claim.release()
            if whole or not fits:
                surplus.append(service)
        return kept, surplus

    async def _sweep(self) -> None:
        """Take away what killed clients left: services whose lease has ended, unused secrets."""
        owner = self._swarm.owner
        for service in await self.board.services(owner.name):
            task = self.board.sight.current(service.id)
            if task is None or task.state != "complete" or task.wanted:
                continue
            if claim := owner.claim(service.name):
                await self.board.remove([service])
                claim.release()
        for name in await self.board.orphans():
            if claim := owner.claim(name):
                await self.board.forget(name)
                claim.release()

    async def _create(self, slot: int) -> Berth:
        """Make a service. The manager does so even if we stop waiting: then it is removed."""
        runtime = self._wanted.recipe.runtime.name
        name = fresh_name(runtime, slot)
        claim = self._swarm.owner.claim(name)
        self._progress(f"{runtime}-{slot}", "creating")
        creating = asyncio.ensure_future(self.board.create(self._wanted, slot, name))
        try:
            return self._berth(await asyncio.shield(creating), claim)
        except BaseException:
            with suppress(ProvisionError):
                await self.board.remove([await creating])
            if claim is not None:
                claim.release()
            raise

    def _berth(self, service: Service, claim: Claim | None) -> Berth:
        return Berth(self.board, service, claim, self, self._progress)

    def _given(self, berths: Iterable[Berth]) -> list[tuple[Remote, Keeper]]:
        return [(berth.ready, berth) for berth in berths if berth.ready is not None]

    async def _end(self, berths: Iterable[Berth]) -> None:
        berths = list(berths)
        self._berths = [berth for berth in self._berths if berth not in berths]
        await asyncio.gather(*(berth.stop() for berth in berths))

    def _account(self, sight: Sight) -> str:
        """Return what has become of all."""
        recipe, stack = self._wanted.recipe, self._swarm.stack
        services = [berth.service.id for berth in self._berths]
        verdict = judge(sight, services, recipe.runtime.reserve, recipe.image, stack=stack)
        return f"{recipe.runtime.name}: {verdict}"

    async def _failed(self, sight: Sight, berth: Berth | None = None) -> ProvisionError:
        words = await last_words(self.board, berth.last_failed if berth else None)
        return ProvisionError(f"{self._account(sight)}{words}")

    async def _late(self, sight: Sight, berth: Berth) -> RemoteNotReadyError:
        words = await last_words(self.board, berth.current)
        late = f"{berth.service.remote_name} was not ready after {self._timeout:g} s"
        return RemoteNotReadyError(f"{self._account(sight)}; {late}{words}")


def _advance(berth: Berth) -> asyncio.Task[None] | None:
    return berth.advance() if berth.ready is None else None
