"""Many remotes on one event loop, as one batch.

Theory of operation. Every slot has one task, its keeper, which opens a session, waits until it is
lost, and opens the next. The agent's calls never touch those tasks: `send` hands input to the
sessions at once, `recv` waits until enough slots owe nothing more to time (their tick), to their
host (a frame in lock-step) or to their episode (a first frame), then copies what changed and
returns. A slot that resets or heals is absent from `recv` meanwhile. `step` is `send` and `recv`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from auniverse.address import Remote
from auniverse.errors import UsageError
from auniverse.remotes import Fleet
from auniverse.rewarder import V1
from auniverse.session import Session
from auniverse.spaces import parse_events

from .batch import Batch
from .blocks import allocate_here
from .counters import add_up
from .frames import Frames
from .heal import Healer
from .members import Members
from .pace import Pace
from .shared import allocate_shared
from .slot import Slot
from .times import Times, verdict
from .view import View
from .waiting import Waiting
from .wishes import EnvIds, Options, Seeds, checked_fps, env_ids_for, env_ids_in, seeds_for


class SessionPool:
    """Many remotes as one vectorized, asynchronous environment.

    Use it as an async context manager: inside, every remote that could be reached is open; one
    that could not is a slot with a fault, and is tried again. Only if none could, opening raises.

    `async for batch in pool` is `recv(min_envs=1)` again and again: each batch has what is ready,
    and whoever is sent to comes again. It begins with a reset if there was none, and ends when no
    slot owes a result.

    Args:
        remotes: One for each slot. A `Fleet`, as `launch` gives it, replaces remotes that are lost
            for good, freezes them in a `pause`, and says in faults what became of them.
        env_id: What to play, one id for all or one for each slot; None takes what runs.
        fps: Steps a second; "default" takes the remote's figure; `math.inf` never waits and takes
            the newest frame; None waits until something arrives.
        lockstep: One step, one frame, and the remotes stand still in between.
        view: What the agent sees of a screen: a part, smaller, grey, stacked; None: all of it.
        shared_memory: Whether observations are in memory that other processes can attach to (see
            `Batch.share`).
        copy: Whether observations are writable and the caller's alone. If not they are read-only,
            and true for as long as anything refers to them.
        silence: Seconds without any answer after which a remote counts as lost although its
            connections stand (a screen that does not change is no silence); None: never.
        retries: Losses in a row that a slot survives, of remotes that lived less than a minute.
        on_exhausted: What happens when they are spent: "drop" reports a last fault that is not
            retryable, and goes on without the slot; "raise" raises a `RemoteError` that names all
            of it, once, from `recv` or `reset`.
        workers: So many other processes carry the sessions (see `crew`); None: this one does.
        session_options: Everything else that `Session` takes (timeout, reset_timeout, link, ...).
    """

    slot_kind: ClassVar[type[Slot]] = Slot

    def __new__(cls, *args: Any, workers: int | None = None, **options: Any) -> Self:
        """Make the kind of pool that was asked for, as `pathlib.Path` makes the kind of path."""
        if workers is not None and cls is SessionPool:
            from .crew import Crew  # stands on this file

            return object.__new__(Crew)  # type: ignore[return-value]
        return object.__new__(cls)

    def __init__(
        self,
        remotes: Sequence[Remote],
        *,
        env_id: EnvIds = None,
        fps: float | str | None = "default",
        lockstep: bool = False,
        view: View | None = None,
        shared_memory: bool = False,
        copy: bool = False,
        silence: float | None = 5.0,
        retries: int = 5,
        on_exhausted: str = "drop",
        workers: int | None = None,
        **session_options: Any,
    ) -> None:
        if not remotes:
            raise UsageError("a pool of no remotes")
        if on_exhausted not in ("drop", "raise"):
            raise UsageError(f"on_exhausted {on_exhausted!r}: 'drop' or 'raise'")
        self.lockstep = lockstep
        allocate = allocate_shared if shared_memory else allocate_here
        self.frames = Frames(len(remotes), view=view, copy=copy, allocate=allocate)
        self._fps = checked_fps(fps)
        self._pace = fps
        self._env_id = env_id if isinstance(env_id, str) else None
        self._options = {**session_options, "silence": silence}
        self._fleet = remotes if isinstance(remotes, Fleet) else Fleet(remotes)
        number = len(remotes)
        slots = self._slots_for(remotes, env_ids_for(number, env_id), self._indices(number))
        self._wake = asyncio.Event()
        self._times = Times(self._now, self.frames.stopwatch)
        self._members = self._members_of(slots, retries)
        self._waiting = Waiting(self._wake, self._times)
        self._waiting.lockstep, self._waiting.raises = lockstep, on_exhausted == "raise"
        self._returned = self.env_ids
        self._open = False

    # -- opening and closing -------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self._members.open()
        try:
            self.frames.check()
        except BaseException:
            await self._members.close()
            raise
        self._open = True
        return self

    async def __aexit__(self, *failure: object) -> None:
        self._open = False
        await self._members.close()

    def _indices(self, count: int) -> Sequence[int]:
        return range(count)

    def _slots_for(
        self, remotes: Sequence[Remote], env_ids: Sequence[str | None], indices: Iterable[int]
    ) -> list[Slot]:
        fleet = remotes if isinstance(remotes, Fleet) else self._fleet
        places = zip(indices, remotes, env_ids, strict=False)
        return [self.slot_kind(*place, Pace(self._pace), self.frames, fleet) for place in places]

    def _members_of(self, slots: list[Slot], retries: int) -> Members:
        return Members(slots, Healer(self._session, self._wake.set, retries), self._wake)

    async def add(self, remotes: Sequence[Remote], env_id: EnvIds = None) -> list[int]:
        """Take in more remotes, as `Fleet.grow` gives them, while the others play on.

        They get the lowest indices that are free. They play nothing before they are reset.

        Args:
            remotes: One for each new slot.
            env_id: As for the pool; None: what the pool was given, if that was one id for all.

        Returns:
            Their indices, in the order of `remotes`.

        Raises:
            RemoteError: None of them could be reached; then none is there.
        """
        self._require_running()
        ids = env_ids_for(len(remotes), self._env_id if env_id is None else env_id)
        taken = set(self.env_ids)
        new = self._slots_for(remotes, ids, (index for index in count() if index not in taken))
        self.frames.grow(max([*taken, *(slot.index for slot in new)]) + 1)
        await self._members.add(new)
        return [slot.index for slot in new]

    async def remove(self, env_ids: Iterable[int]) -> list[Remote]:
        """Let some slots go; the others keep their indices. Return their remotes, which run on."""
        self._require_open()
        leaving = self._members.chosen(env_ids)
        try:
            await self._members.remove(leaving)
        finally:
            self._returned = [index for index in self._returned if index in self.env_ids]
            for slot in leaving:
                self._forget(slot.index)
        return [slot.remote for slot in leaving]

    def _forget(self, slot: int) -> None:
        self.frames.forget(slot)

    async def pause(self) -> None:
        """Let all remotes stand still until `resume`: a break for an agent that thinks.

        Remotes in lock-step stand still between steps anyway. Others are frozen by whoever started
        them. Leases go on, silence is none, no tick is missed, and nobody heals meanwhile. What was
        sent and not received before comes after the break.

        Raises:
            UsageError: A remote in real time was given by address: nobody here can freeze it.
            ProvisionError: One could not be frozen; then all run on.
        """
        self._require_running()
        await self._members.rest.begin([] if self.lockstep else self._slots, self._now())

    async def resume(self) -> None:
        """End a `pause`; without one, do nothing."""
        self._require_open()
        if self._members.rest.on:
            await self._members.resume()

    def _session(self, slot: Slot, timeout: float | None) -> Session:
        options = self._options
        if timeout is not None:
            options = {**options, "timeout": min(timeout, options.get("timeout", timeout))}
        return Session(
            slot.remote,
            env_id=slot.env_id,
            fps=self._fps,
            lockstep=self.lockstep,
            allocate=self.frames.allocator(slot.index),
            wake=self._wake.set,
            **options,
        )

    # -- what it is ----------------------------------------------------------------------------

    @property
    def num_envs(self) -> int:
        """How many slots there are."""
        return len(self._slots)

    @property
    def env_ids(self) -> list[int]:
        """The indices of the slots, ascending."""
        return self._members.indices

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """The shape of one observation, see `View.shape`; without a view height, width, 3."""
        return self.frames.shape

    @property
    def screen_size(self) -> tuple[int, int]:
        """Width and height of the screens, in pixels, whatever is seen of them; zeros if none."""
        return self.frames.size[::-1]

    def screen(self, slot: int) -> NDArray[np.uint8]:
        """Return a copy of a slot's whole screen as it is now, uint8 (height, width, 3) RGB."""
        return self.frames.screen(slot)

    @property
    def v1(self) -> V1 | None:
        """What the first remote says of itself beyond protocol v0."""
        return next((slot.session.v1 for slot in self._slots if slot.session), None)

    def stats(self) -> dict[str, Any]:
        """Return counters since opening: totals, and under "slots" those of each slot.

        "time" has the seconds since the first reset and what they went to (see `Times`), "bound"
        what that means.
        """
        shares = self._times.shares()
        return {**add_up(self._slots), "time": shares, "bound": verdict(shares)}

    # -- the agent's calls ---------------------------------------------------------------------

    def begin_reset(
        self, seed: Seeds = None, env_ids: Iterable[int] | None = None, options: Options = None
    ) -> None:
        """Ask for new episodes as `reset` does, without waiting: `recv` brings their first frames.

        Args:
            seed: As for `reset`.
            env_ids: Which slots; all by default.
            options: As for `reset`.
        """
        self._require_running()
        now, chosen = self._now(), self._members.chosen(env_ids)
        seeds = seeds_for([slot.index for slot in chosen], seed)
        wanted = env_ids_in(options, len(chosen))
        for slot, slot_seed, env_id in zip(chosen, seeds, wanted, strict=True):
            slot.begin_reset(slot_seed, now, env_id)

    async def reset(
        self, seed: Seeds = None, env_ids: Iterable[int] | None = None, options: Options = None
    ) -> tuple[NDArray[np.uint8], dict[str, Any]]:
        """Begin a new episode in every slot, or in those named, and wait for the first frames.

        Args:
            seed: None, one for each slot, or one number: slot i gets `seed + i`.
            env_ids: Which slots; all by default.
            options: `{"env_id": ...}`, one id for all or a list with one or None for each slot,
                is what they play from now on; the screens may get another size by it.

        Returns:
            Observations, uint8 (n, *observation_shape), and infos. A slot without a remote has
            `valid` False and its `fault` there.

        Raises:
            RemoteError: No slot came up; the error of the first one.
        """
        self._require_running()
        chosen = self._members.chosen(env_ids)
        with self._times:
            self.begin_reset(seed, [slot.index for slot in chosen], options)
            batch = self._gather(await self._waiting.for_episodes(chosen))
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
        self._require_running()
        chosen = self._members.chosen(self._returned if env_ids is None else env_ids)
        if len(actions) != len(chosen):
            raise UsageError(f"{len(actions)} actions for {len(chosen)} slots")
        for slot in chosen:
            if slot.pending:
                raise UsageError(f"slot {slot.index} was sent to, but not received since")
        with self._times:
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
            timeout: Return a batch this many seconds from now, even if there is nothing for it.

        Raises:
            UsageError: No slot owes a result.
            RemoteError: None can come any more; the error of the first slot that died. Or, if so
                wanted (`on_exhausted`), a slot was given up.
        """
        self._require_open()
        pending = [slot for slot in self._slots if slot.pending]
        if not pending:
            raise UsageError("recv without send")
        with self._times:
            return self._gather(await self._waiting.for_results(pending, min_envs, timeout))

    async def step(
        self, actions: Sequence[Iterable[object]], env_ids: Iterable[int] | None = None
    ) -> Batch:
        """Act and wait: `send` then `recv`."""
        self.send(actions, env_ids)
        return await self.recv()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Batch:
        if not any(slot.started for slot in self._slots):
            self.begin_reset()
        if not any(slot.pending for slot in self._slots):
            raise StopAsyncIteration
        return await self.recv(min_envs=1)

    # -- inside --------------------------------------------------------------------------------

    @property
    def _slots(self) -> list[Slot]:
        return self._members.slots

    def _gather(self, slots: list[Slot]) -> Batch:
        begun = self._now()
        results = [slot.result(begun) for slot in slots]
        self._returned = [slot.index for slot in slots]
        first = {result.slot for result in results if result.info["reset"]}
        self._times.turn("copying")
        observations = self.frames.rows(self._returned, first)
        self._times.turn("stepping")
        self._waiting.made(self._now() - begun)
        return Batch(observations, results)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _require_open(self) -> None:
        if not self._open:
            raise UsageError("the pool is not open: use `async with`")

    def _require_running(self) -> None:
        self._require_open()
        if self._members.rest.on:
            raise UsageError("the pool is paused: `await pool.resume()` first")
