"""Many remotes on one event loop, as one batch.

Theory of operation. Every slot has one task, its keeper, which opens a session, waits until it is
lost, and opens the next. The agent's calls never touch those tasks: `send` hands input to the
sessions at once, `recv` waits until enough slots owe nothing more to time (their tick), to their
host (a frame in lock-step) or to their episode (a first frame), then copies what changed and
returns. A slot that resets or heals is absent from `recv` meanwhile. `step` is `send` and `recv`.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from auniverse.address import Remote
from auniverse.errors import AuniverseError, RemoteError, UsageError
from auniverse.remotes import Fleet
from auniverse.rewarder import V1
from auniverse.session import Session
from auniverse.spaces import parse_events

from .batch import Batch, Result
from .blocks import allocate_here
from .frames import Frames
from .heal import Budget
from .pace import Pace
from .shared import allocate_shared
from .slot import NEVER, Slot, no_log
from .view import View


class SessionPool:
    """Many remotes as one vectorized, asynchronous environment.

    Use it as an async context manager: inside, every remote that could be reached is open; a
    remote that could not is a slot with a fault, and is tried again. Only if none could be
    reached, opening raises.

    Args:
        remotes: One for each slot. A `Fleet`, as `launch` gives it, adds a remote's last log lines
            to its faults.
        env_id: What to play, one id for all or one for each slot; None takes what runs.
        fps: Steps a second; "default" takes the remote's figure; `math.inf` never waits and takes
            the newest frame; None waits until something arrives.
        lockstep: One step, one frame, and the remotes stand still in between.
        view: What the agent sees of a screen: a part, smaller, grey, stacked; None: all of it.
        shared_memory: Whether observations are in memory that other processes can attach to (see
            `Batch.share`).
        copy: Whether observations are writable and the caller's alone. If not they are read-only,
            and true for as long as anything refers to them.
        session_options: Everything else that `Session` takes (timeout, reset_timeout, link, ...).
    """

    def __init__(
        self,
        remotes: Sequence[Remote],
        *,
        env_id: str | Sequence[str | None] | None = None,
        fps: float | str | None = "default",
        lockstep: bool = False,
        view: View | None = None,
        shared_memory: bool = False,
        copy: bool = False,
        **session_options: Any,
    ) -> None:
        if not remotes:
            raise UsageError("a pool of no remotes")
        ids = [env_id] * len(remotes) if env_id is None or isinstance(env_id, str) else list(env_id)
        if len(ids) != len(remotes):
            raise UsageError(f"{len(ids)} env_ids for {len(remotes)} remotes")
        if fps is not None and fps != "default" and not (isinstance(fps, int | float) and fps > 0):
            raise UsageError(f"fps {fps!r}: a number above 0, None or 'default'")
        self.num_envs = len(remotes)
        self.lockstep = lockstep
        if copy and shared_memory:
            raise UsageError("copy=True: a copy is the caller's alone, and in no shared memory")
        self.copy = copy
        allocate = allocate_shared if shared_memory else allocate_here
        self.frames = Frames(self.num_envs, view=view, allocate=allocate)
        # A rewarder is told a rate, not that we never wait or wait for news: then its own is best.
        self._fps = float(fps) if isinstance(fps, int | float) and math.isfinite(fps) else None
        self._options = session_options
        log_tail = remotes.log_tail if isinstance(remotes, Fleet) else no_log
        self._slots = [
            Slot(index, remote, ids[index], Pace(fps), self.frames, log_tail)
            for index, remote in enumerate(remotes)
        ]
        self._returned: list[int] = list(range(self.num_envs))
        self._wake = asyncio.Event()
        self._tasks = asyncio.TaskGroup()
        self._keepers: list[asyncio.Task[None]] = []
        self._open = False

    # -- opening and closing -------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        try:
            self._keepers = [self._tasks.create_task(self._keep(slot)) for slot in self._slots]
            while not all(slot.tried for slot in self._slots):
                self._wake.clear()
                await self._wake.wait()
            self._refuse_if_none_came()
            self.frames.check()
        except BaseException:
            await self._close()
            raise
        self._open = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._open = False
        await self._close()

    async def _close(self) -> None:
        for keeper in self._keepers:
            keeper.cancel()
        await self._tasks.__aexit__(None, None, None)

    def _refuse_if_none_came(self) -> None:
        errors = [slot.error for slot in self._slots if slot.error is not None]
        for error in errors:
            if isinstance(error, UsageError):
                raise error
        if errors and all(slot.session is None for slot in self._slots):
            raise errors[0]

    async def _keep(self, slot: Slot) -> None:
        """Keep a session in a slot for as long as its budget lasts."""
        loop = asyncio.get_running_loop()
        budget = Budget()
        while True:
            opened_at = loop.time()
            error: AuniverseError
            try:
                async with self._session(slot) as session:
                    opened_at = loop.time()
                    slot.attach(session, opened_at)
                    self._wake.set()
                    error = await session.lost()
            except AuniverseError as failure:
                error = failure
            pause = None
            if isinstance(error, RemoteError):
                pause = budget.spend(error, loop.time() - opened_at)
            slot.detach(error, dead=pause is None)
            self._wake.set()
            if pause is None:
                return
            await asyncio.sleep(pause)

    def _session(self, slot: Slot) -> Session:
        return Session(
            slot.remote,
            env_id=slot.env_id,
            fps=self._fps,
            lockstep=self.lockstep,
            allocate=self.frames.allocator(slot.index),
            wake=self._wake.set,
            **self._options,
        )

    # -- what it is ----------------------------------------------------------------------------

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """The shape of one observation, see `View.shape`; without a view height, width, 3."""
        return self.frames.shape

    @property
    def screen_size(self) -> tuple[int, int]:
        """Width and height of the screens, in pixels, whatever is seen of them; zeros if none."""
        height, width = self.frames.size
        return width, height

    def screen(self, slot: int) -> NDArray[np.uint8]:
        """Return a copy of a slot's whole screen as it is now, uint8 (height, width, 3) RGB."""
        return self.frames.screen(slot)

    @property
    def v1(self) -> V1 | None:
        """What the first remote says of itself beyond protocol v0."""
        return next((slot.session.v1 for slot in self._slots if slot.session), None)

    def stats(self) -> dict[str, Any]:
        """Return counters since opening: totals, and lists with one entry a slot."""
        slots = self._slots
        return {
            "updates": sum(slot.updates for slot in slots),
            "bytes": sum(slot.bytes for slot in slots),
            "episodes": sum(slot.episodes for slot in slots),
            "reward_sum": sum(slot.reward_sum for slot in slots),
            "faults": sum(slot.faults for slot in slots),
            "missed_deadlines": sum(slot.pace.missed for slot in slots),
            "slots": [
                {
                    "remote": str(slot.remote),
                    "env_id": slot.env_id,
                    "open": slot.session is not None,
                    "updates": slot.updates,
                    "bytes": slot.bytes,
                    "episodes": slot.episodes,
                    "reward_sum": slot.reward_sum,
                    "faults": slot.faults,
                    "error": None if slot.error is None else str(slot.error),
                    "missed_deadlines": slot.pace.missed,
                }
                for slot in slots
            ],
        }

    # -- the agent's calls ---------------------------------------------------------------------

    def begin_reset(
        self,
        seed: int | Sequence[int | None] | None = None,
        env_ids: Iterable[int] | None = None,
    ) -> None:
        """Ask for new episodes as `reset` does, without waiting: `recv` brings their first frames.

        Args:
            seed: As for `reset`.
            env_ids: Which slots; all by default.
        """
        self._require_open()
        self._begin_reset(self._chosen(env_ids), seed)

    async def reset(
        self,
        seed: int | Sequence[int | None] | None = None,
        env_ids: Iterable[int] | None = None,
    ) -> tuple[NDArray[np.uint8], dict[str, Any]]:
        """Begin a new episode in every slot, or in those named, and wait for the first frames.

        Args:
            seed: None, one for each slot, or one number: slot i gets `seed + i`.
            env_ids: Which slots; all by default.

        Returns:
            Observations, uint8 (n, *observation_shape), and infos. A slot without a remote has
            `valid` False and its `fault` there.

        Raises:
            RemoteError: No slot came up; the error of the first one.
        """
        self._require_open()
        chosen = self._chosen(env_ids)
        self._begin_reset(chosen, seed)
        while not all(slot.ready(self._now()) or slot.session is None for slot in chosen):
            await self._pause(chosen, NEVER)
        errors = [slot.error for slot in chosen if slot.session is None]
        if len(errors) == len(chosen) and errors[0] is not None:
            raise errors[0]
        batch = self._gather(chosen)
        return batch.observations, batch.infos

    def send(
        self, actions: Sequence[Iterable[object]], env_ids: Iterable[int] | None = None
    ) -> None:
        """Act in every slot of the last batch, or in those named. It does not wait.

        Args:
            actions: One list of events for each slot: `KeyEvent`, `PointerEvent` or tuples such
                as `("KeyEvent", "ArrowUp", True)`.
            env_ids: Which slots; those of the last batch by default.

        Raises:
            UsageError: The numbers do not match, or a slot still owes the result of its last
                action.
            InvalidActionError: An event that is none; nothing was sent then.
        """
        self._require_open()
        chosen = self._chosen(self._returned if env_ids is None else env_ids)
        if len(actions) != len(chosen):
            raise UsageError(f"{len(actions)} actions for {len(chosen)} slots")
        for slot in chosen:
            if slot.pending:
                raise UsageError(f"slot {slot.index} was sent to, but not received since")
        parsed = [parse_events(events) for events in actions]
        now = self._now()
        for slot, events in zip(chosen, parsed, strict=True):
            slot.send(events, now)

    async def recv(self, min_envs: int | None = None, timeout: float | None = None) -> Batch:
        """Wait for the results of slots that were sent to.

        Args:
            min_envs: Return as soon as this many slots have one; None waits for all that play,
                never for those that reset or heal (in lock-step, where nothing else moves on, for
                those that reset too).
            timeout: Return after this many seconds with what there is, even if that is nothing.

        Raises:
            UsageError: No slot owes a result.
            RemoteError: None can come any more; the error of the first slot that died.
        """
        self._require_open()
        pending = [slot for slot in self._slots if slot.pending]
        if not pending:
            raise UsageError("recv without send")
        give_up = NEVER if timeout is None else self._now() + timeout
        await asyncio.sleep(0)  # let the sockets be read even if nobody ever has to wait
        while True:
            now = self._now()
            ready = [slot for slot in pending if slot.ready(now)]
            if self._enough(pending, ready, min_envs) or now >= give_up:
                return self._gather(ready)
            await self._pause(pending, give_up)

    async def step(
        self, actions: Sequence[Iterable[object]], env_ids: Iterable[int] | None = None
    ) -> Batch:
        """Act and wait: `send` then `recv`."""
        self.send(actions, env_ids)
        return await self.recv()

    # -- inside --------------------------------------------------------------------------------

    def _begin_reset(self, chosen: list[Slot], seed: int | Sequence[int | None] | None) -> None:
        now = self._now()
        for slot, slot_seed in zip(chosen, self._seeds(seed, chosen), strict=True):
            slot.begin_reset(slot_seed, now)

    def _enough(self, pending: list[Slot], ready: list[Slot], min_envs: int | None) -> bool:
        alive = [slot for slot in pending if slot in ready or not slot.dead]
        if not alive:
            error = next((slot.error for slot in pending if slot.error), None)
            raise error or UsageError("recv without send")
        if min_envs is not None:
            return len(ready) >= max(1, min(min_envs, len(alive)))
        if self.lockstep:
            return bool(ready) and all(slot in ready or slot.session is None for slot in alive)
        return bool(ready) and all(slot in ready or not slot.live for slot in alive)

    async def _pause(self, slots: list[Slot], until: float) -> None:
        """Wait for the next moment at which one of `slots` may have become ready."""
        until = min(until, *(slot.next_time for slot in slots))
        if all(slot.ticking for slot in slots):
            await asyncio.sleep(until - self._now())
            return
        self._wake.clear()
        try:
            async with asyncio.timeout_at(None if until == NEVER else until):
                await self._wake.wait()
        except TimeoutError:
            return

    def _gather(self, slots: list[Slot]) -> Batch:
        now = self._now()
        results: list[Result] = [slot.result(now) for slot in slots]
        self._returned = [slot.index for slot in slots]
        first = {result.slot for result in results if result.info["reset"]}
        observations = self.frames.rows(self._returned, first)
        return Batch(observations.copy() if self.copy else observations, results)

    def _chosen(self, env_ids: Iterable[int] | None) -> list[Slot]:
        if env_ids is None:
            return list(self._slots)
        try:
            return [self._slots[index] for index in env_ids]
        except (IndexError, TypeError) as error:
            raise UsageError(f"env_ids are 0 to {self.num_envs - 1}") from error

    def _seeds(
        self, seed: int | Sequence[int | None] | None, chosen: list[Slot]
    ) -> Sequence[int | None]:
        if seed is None:
            return [None] * len(chosen)
        if isinstance(seed, (int, np.integer)):
            return [int(seed) + slot.index for slot in chosen]
        if len(seed) != len(chosen):
            raise UsageError(f"{len(seed)} seeds for {len(chosen)} slots")
        return seed

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _require_open(self) -> None:
        if not self._open:
            raise UsageError("the pool is not open: use `async with`")
