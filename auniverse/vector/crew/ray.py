"""A pool on a Ray cluster: every worker is an actor, which starts its remotes where it is.

Where actors go, that they are started again when they are lost, and how pixels travel is Ray's
affair: batches of an actor come by its object store and are copied once, into ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import replace
from functools import partial
from typing import Any, Self, TypeVar, cast

from auniverse.address import Remote
from auniverse.errors import (
    AuniverseError,
    MissingDependencyError,
    ProvisionError,
    UsageError,
    WorkerLostError,
)
from auniverse.remotes import Fleet, launch
from auniverse.runtimes import env as find_env

from ..slot import Slot
from ..wishes import EnvIds
from .crew import Crew
from .orders import (
    Done,
    Enter,
    Entered,
    Freeze,
    Leave,
    Open,
    Opened,
    Order,
    Ping,
    Pong,
    Refused,
    Tried,
)
from .shard import FarSlot, Shard
from .share import Share
from .worker import Worker

_Naming = TypeVar("_Naming", Open, Enter)

#: How actors are made, unless told otherwise.
ACTOR_OPTIONS = {"num_cpus": 1, "scheduling_strategy": "SPREAD", "max_restarts": -1}
#: Seconds that an actor has to end its remotes before it is killed.
_PATIENCE = 5.0


class RayPool(Crew):
    """A pool whose sessions, and their remotes, live in Ray actors.

    It is used as a `SessionPool`. Opening it joins the cluster that `ray.init` finds if the program
    did not, and starts the remotes.

    Args:
        env_id: What to play; None takes what runs, where remotes are given.
        remotes: How many the actors start, each its part on its node, where the runtime must be
            installed; or the addresses of running ones, which the nodes must reach and whose
            passwords Ray carries there.
        actors: How many actors share them.
        screen: The size of the screens of those that are started.
        actor_options: What `ray.remote(...).options` takes, such as `resources`; it goes on top of
            `ACTOR_OPTIONS`.
        options: Anything else that `SessionPool` takes.

    Attributes:
        actors: Their handles, while the pool is open.

    Raises:
        MissingDependencyError: Ray is not installed.
        UsageError: An argument is wrong.
        ProvisionError: There is no cluster, or remotes did not start (on opening).
    """

    grace = 0.02
    least_silence = 30.0  # a cluster has its hiccups
    _looks_into_workers = False

    def __init__(
        self,
        env_id: str | None,
        remotes: int | Sequence[Remote],
        *,
        actors: int = 2,
        screen: str = "1024x768",
        actor_options: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        if isinstance(actors, bool) or not isinstance(actors, int) or actors < 1:
            raise UsageError(f"actors={actors!r}: a number of actors, 1 or more")
        self._launching: tuple[str, str] | None = None
        if not isinstance(remotes, Sequence):
            if env_id is None:
                raise UsageError("say which env_id to play, or give the addresses of remotes")
            self._launching = find_env(env_id).runtime, screen
        super().__init__(_unstarted(remotes), workers=actors, env_id=env_id, **options)
        self._ray = _ray()
        self._actor_options = {**ACTOR_OPTIONS, **(actor_options or {})}
        self._actors: dict[int, Any] = {}  # by the number of the shard

    async def __aenter__(self) -> Self:
        if not self._ray.is_initialized():
            try:
                self._ray.init(log_to_driver=False)
            except Exception as error:  # of whatever kind Ray has for it
                raise ProvisionError(f"no Ray cluster can be joined or started: {error}") from error
        try:
            return await super().__aenter__()
        except BaseException:
            self._kill_all()
            raise

    async def __aexit__(self, *failure: object) -> None:
        try:
            await super().__aexit__(*failure)
        finally:
            self._kill_all()

    @property
    def actors(self) -> list[Any]:
        """Handles of the actors that there are."""
        return [self._actors[number] for number in sorted(self._actors)]

    def _kill_all(self) -> None:
        for number in list(self._actors):
            self._dismissed(number)

    def _dismissed(self, number: int) -> None:
        if (actor := self._actors.pop(number, None)) is not None:
            self._ray.kill(actor)

    def _hire(self, shard: Shard) -> Worker:
        if shard.number not in self._actors:
            team = self._ray.remote(Team).options(**self._actor_options)
            self._actors[shard.number] = team.remote(self._launching)
        handle = self._actors[shard.number]
        return Actor(f"actor {shard.number}", handle, partial(self._hear, shard))

    def _slots_for(
        self, remotes: Sequence[Remote], env_ids: Sequence[str | None], indices: Iterable[int]
    ) -> list[Slot]:
        slots = super()._slots_for(remotes, env_ids, indices)
        if self._launching is not None:
            for slot in slots:
                slot.fleet = _KeptThere(cast(FarSlot, slot))
        return slots

    async def add(self, remotes: int | Sequence[Remote], env_id: EnvIds = None) -> list[int]:
        """As `SessionPool.add`.

        Args:
            remotes: How many more the actors start, if they started those before; else their
                addresses.
            env_id: As there.

        Raises:
            UsageError: It is the other thing, or see there.
            RemoteError: As there.
        """
        if isinstance(remotes, int) == (self._launching is None):
            wanted = "addresses" if self._launching is None else "a number of remotes to start"
            raise UsageError(f"add({remotes!r}): this pool takes {wanted}")
        return await super().add(_unstarted(remotes), env_id)


def _unstarted(remotes: int | Sequence[Remote]) -> Sequence[Remote]:
    """Return remotes, for a number of them such as stand for those that do not run yet."""
    if isinstance(remotes, Sequence):
        return remotes
    if isinstance(remotes, bool) or not isinstance(remotes, int) or remotes < 1:
        raise UsageError(f"the number of remotes must be 1 or more, not {remotes!r}")
    return [Remote("not.started", 1, None)] * remotes


class _KeptThere(Fleet):
    """The remote of one slot, which the slot's actor keeps."""

    def __init__(self, slot: FarSlot) -> None:
        super().__init__([slot.remote])
        self._slot = slot

    def can_replace(self, remote: Remote) -> bool:
        return True

    async def pause(self, remote: Remote) -> None:
        await self._freeze(True)

    async def resume(self, remote: Remote) -> None:
        await self._freeze(False)

    async def _freeze(self, on: bool) -> None:
        await self._slot.shard.have_done(lambda number: Freeze(number, self._slot.index, on))


def _ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise MissingDependencyError("RayPool needs Ray: pip install 'auniverse[ray]'") from error
    return ray


class Actor(Worker):
    """One worker that is an actor; the actor itself outlives the context, and is Ray's to revive.

    Args:
        name: See `Worker`.
        handle: Of the actor, a `Team`.
        hear: See `Worker`.
    """

    def __init__(self, name: str, handle: Any, hear: Callable[[Any], None]) -> None:
        super().__init__(name, hear)
        self._handle = handle
        self._count = 0
        self._calls: set[asyncio.Task[None]] = set()
        self._lost: asyncio.Future[WorkerLostError] = self._loop.create_future()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        for call in self._calls:
            call.cancel()
        if self.frozen:
            _ray().kill(self._handle, no_restart=False)
        elif not self._lost.done():
            with suppress(Exception):  # whatever it is, the actor is killed next
                async with asyncio.timeout(_PATIENCE):
                    await _result(self._handle.leave.remote())

    def _send(self, orders: list[Order]) -> None:
        self._count += 1
        call = self._loop.create_task(self._call(self._handle.take.remote(self._count, orders)))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)

    async def _call(self, reference: Any) -> None:
        try:
            messages = await _result(reference)
        except Exception as error:  # of Ray's many kinds; all say that the actor did not answer
            if not self._lost.done():
                first = str(error).strip().partition("\n")[0]
                self._lost.set_result(WorkerLostError(f"{self.name} was lost: {first}"))
                if not isinstance(error, _ray().exceptions.RayActorError):
                    _ray().kill(self._handle, no_restart=False)  # it lives, but failed: start anew
            return
        for message in messages:
            self._take(message)

    async def lost(self) -> WorkerLostError:
        """Wait until it is gone; return why."""
        watch = self._loop.create_task(self._call(self._handle.watch.remote()))
        try:
            return await asyncio.shield(self._lost)
        finally:
            watch.cancel()


async def _result(reference: Any) -> Any:
    return await asyncio.wrap_future(reference.future())


class Team:
    """What runs in an actor: remotes, a share on them, and what orders say.

    Args:
        launching: What remotes to start run, and the size of their screens; None: the first order
            names running ones.
    """

    def __init__(self, launching: tuple[str, str] | None) -> None:
        self._launching = launching
        self._share: Share | None = None
        self._fleet: Fleet | None = None
        self._work: asyncio.Task[None] | None = None
        self._taken = 0
        self._turn = asyncio.Condition()

    async def watch(self) -> list[Any]:
        """Never answer: that this call fails tells that the actor is gone."""
        await asyncio.get_running_loop().create_future()
        return []

    async def take(self, number: int, orders: list[Order]) -> list[Any]:
        """Do what is ordered and return what there is to say; calls are numbered from 1."""
        async with self._turn:  # Ray may start one call before an earlier one
            await self._turn.wait_for(lambda: number == self._taken + 1)
            waiting = [await self._obey(order) for order in orders]
            self._taken = number
            self._turn.notify_all()
        messages: list[Any] = []
        for answer in waiting:
            with suppress(asyncio.CancelledError):  # withdrawn
                messages.append(await answer if isinstance(answer, asyncio.Task) else answer)
        return [message for message in messages if message is not None]

    async def _obey(self, order: Order) -> Any:
        """Return what there is to say, or a task that will return it."""
        if isinstance(order, Open):
            return await self._open(order)
        if isinstance(order, Ping):
            return Pong()
        assert self._share is not None
        assert self._fleet is not None
        if self._launching is not None and isinstance(order, Enter):
            return asyncio.create_task(self._enter(order, self._share, self._fleet))
        if self._launching is not None and isinstance(order, Leave):
            return asyncio.create_task(self._leave(order, self._share, self._fleet))
        return self._share.obey(order)

    async def _open(self, order: Open) -> Opened | Refused:
        opened: asyncio.Future[Opened | Refused] = asyncio.get_running_loop().create_future()
        self._work = asyncio.create_task(self._run(order, opened))
        return await opened

    async def _run(self, order: Open, opened: asyncio.Future[Opened | Refused]) -> None:
        try:
            async with (
                self._remotes(order) as self._fleet,
                Share(self._fleet, _on(self._fleet, order)) as self._share,
            ):
                said = self._share.opened()
                opened.set_result(said._replace(tried=self._named(said.tried, self._fleet)))
                await asyncio.get_running_loop().create_future()
        except Exception as error:
            if opened.done():
                raise
            opened.set_result(Refused(error))

    async def _enter(self, order: Enter, share: Share, fleet: Fleet) -> Entered:
        try:
            new = await fleet.grow(len(order.places))
        except AuniverseError as error:
            tried = {place.slot: Tried(error, dead=True) for place in order.places}
            return Entered(tried, share.opened().news)
        answer = share.obey(_on(new, order))
        assert answer is not None
        said: Entered = await answer
        return said._replace(tried=self._named(said.tried, new))

    async def _leave(self, order: Leave, share: Share, fleet: Fleet) -> Done:
        remotes = share.remotes_of(order.slots)
        answer = share.obey(order)
        assert answer is not None
        said: Done = await answer
        await fleet.shrink(remotes)
        return said

    def _named(self, tried: dict[int, Tried], remotes: Sequence[Remote]) -> dict[int, Tried]:
        """Say which remotes there are, if they were started here; not what opens them."""
        if self._launching is None:
            return tried
        shown = [replace(remote, vnc_password="", rewarder_password="") for remote in remotes]
        pairs = zip(tried.items(), shown, strict=True)
        return {index: one._replace(remote=remote) for (index, one), remote in pairs}

    def _remotes(self, order: Open) -> AbstractAsyncContextManager[Fleet]:
        remotes = [place.remote for place in order.places]
        if self._launching is None:
            return nullcontext(Fleet(remotes))
        runtime, screen = self._launching
        return launch(runtime, len(remotes), env_id=order.places[0].env_id, screen=screen)

    async def leave(self) -> None:
        """End the remotes."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait((self._work,))


def _on(remotes: Sequence[Remote], order: _Naming) -> _Naming:
    """Return an order that names these remotes."""
    pairs = zip(order.places, remotes, strict=True)
    return order._replace(places=[place._replace(remote=remote) for place, remote in pairs])
