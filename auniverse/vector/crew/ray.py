"""A pool on a Ray cluster: every worker is an actor, which starts its remotes where it is.

Where actors go, that they are started again when they are lost, and how pixels travel is Ray's
affair: batches of an actor come by its object store and are copied once, into ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import replace
from functools import partial
from typing import Any, Self

from auniverse.address import Remote
from auniverse.errors import MissingDependencyError, ProvisionError, UsageError, WorkerLostError
from auniverse.remotes import Fleet, launch
from auniverse.runtimes import env as find_env

from .crew import Crew
from .orders import Answer, Open, Opened, Order, Refused
from .shard import Shard
from .share import Share
from .worker import Worker

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
            if isinstance(remotes, bool) or not isinstance(remotes, int) or remotes < 1:
                raise UsageError(f"the number of remotes must be 1 or more, not {remotes!r}")
            if env_id is None:
                raise UsageError("say which env_id to play, or give the addresses of remotes")
            self._launching = find_env(env_id).runtime, screen
            remotes = [Remote("not.started", 1, None)] * remotes
        super().__init__(remotes, workers=actors, env_id=env_id, **options)
        self._ray = _ray()
        self._actor_options = {**ACTOR_OPTIONS, **(actor_options or {})}
        self.actors: list[Any] = []

    async def __aenter__(self) -> Self:
        if not self._ray.is_initialized():
            try:
                self._ray.init(log_to_driver=False)
            except Exception as error:  # of whatever kind Ray has for it
                raise ProvisionError(f"no Ray cluster can be joined or started: {error}") from error
        team = self._ray.remote(Team).options(**self._actor_options)
        self.actors = [team.remote(self._launching) for _ in self._shards]
        try:
            return await super().__aenter__()
        except BaseException:
            self._kill()
            raise

    async def __aexit__(self, *failure: object) -> None:
        try:
            await super().__aexit__(*failure)
        finally:
            self._kill()

    def _kill(self) -> None:
        for actor in self.actors:
            self._ray.kill(actor)
        self.actors.clear()

    def _hire(self, shard: Shard) -> Worker:
        handle = self.actors[shard.number]
        return Actor(f"actor {shard.number}", handle, partial(self._hear, shard))


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
        if not self._lost.done():
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

    async def _obey(self, order: Order) -> Opened | Refused | asyncio.Task[Answer] | None:
        if isinstance(order, Open):
            return await self._open(order)
        assert self._share is not None
        return self._share.obey(order)

    async def _open(self, order: Open) -> Opened | Refused:
        opened: asyncio.Future[Opened | Refused] = asyncio.get_running_loop().create_future()
        self._work = asyncio.create_task(self._run(order, opened))
        return await opened

    async def _run(self, order: Open, opened: asyncio.Future[Opened | Refused]) -> None:
        try:
            async with (
                self._remotes(order) as fleet,
                Share(fleet, env_id=order.env_ids, **order.options) as self._share,
            ):
                opened.set_result(self._share.opened()._replace(remotes=self._started(fleet)))
                await asyncio.get_running_loop().create_future()
        except Exception as error:
            if opened.done():
                raise
            opened.set_result(Refused(error))

    def _started(self, fleet: Fleet) -> list[Remote] | None:
        if self._launching is None:
            return None
        return [replace(remote, vnc_password="", rewarder_password="") for remote in fleet]

    def _remotes(self, order: Open) -> AbstractAsyncContextManager[Fleet]:
        if self._launching is None:
            return nullcontext(Fleet(order.remotes))
        runtime, screen = self._launching
        return launch(runtime, len(order.remotes), env_id=order.env_ids[0], screen=screen)

    async def leave(self) -> None:
        """End the remotes."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait((self._work,))
