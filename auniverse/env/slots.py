"""Remotes behind a synchronous face, numbered from 0.

Theory of operation. A pool's slot goes on by itself after an episode's end: its next result is the
first observation of the next episode. Gymnasium's environments wait to be reset. `Slots` stands in
between: each slot is *fresh* (nothing began, or a call was interrupted), *playing* or *over*.
Restarting a slot that is over, without a seed, takes the episode that the remote begins anyway, so
that no remote is ever reset twice; anything else asks for an episode of its own.

A slot whose remote is lost heals, and restarting it waits for that. One that is lost for good goes
on as truncated, not valid and with its fault; if all are, the error of the first is raised.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from enum import Enum
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from auniverse.acquire import catalogued, count_remotes, open_pool, starts_remotes
from auniverse.errors import UsageError
from auniverse.portal import Opened, Portal
from auniverse.spaces import Event, Held, Preset, choose_preset, clean_text
from auniverse.vector import SessionPool, View, stack_infos

from .description import Description, describe
from .infos import info_of, with_masks
from .options import Options

T = TypeVar("T")
OpenPool = Callable[..., AbstractAsyncContextManager[SessionPool]]


class Phase(Enum):
    """Where a slot stands."""

    FRESH = "fresh"
    PLAYING = "playing"
    OVER = "over"


class Turn(NamedTuple):
    """What some slots returned, one row for each.

    Attributes:
        screens: uint8 (n, *shape), what is seen of the screens, read-only.
        rewards: float64 (n,).
        terminations: bool (n,).
        truncations: bool (n,).
        infos: Arrays (n,) by key, each with its mask `_key`.
    """

    screens: NDArray[np.uint8]
    rewards: NDArray[np.float64]
    terminations: NDArray[np.bool_]
    truncations: NDArray[np.bool_]
    infos: dict[str, Any]

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts, as elements of `auniverse.spaces.text_space`."""
        return tuple(map(clean_text, self.infos["text"]))


class Row(NamedTuple):
    """One slot's part of a turn."""

    screen: NDArray[np.uint8]
    reward: float
    terminated: bool
    truncated: bool
    info: dict[str, Any]

    @property
    def lost(self) -> bool:
        """Whether the remote is lost for good."""
        return "fault" in self.info and not self.info["fault"]["retryable"]


def split(turn: Turn) -> list[Row]:
    """Return the rows of a turn."""
    return [
        Row(screen, float(reward), bool(terminated), bool(truncated), info_of(turn.infos, position))
        for position, (screen, reward, terminated, truncated) in enumerate(
            zip(*turn[:4], strict=True)
        )
    ]


def stack(rows: Sequence[Row]) -> Turn:
    """Return the turn of some rows."""
    screens, rewards, terminations, truncations, infos = zip(*rows, strict=True)
    pixels = np.stack(screens)
    pixels.flags.writeable = False
    return Turn(
        pixels,
        np.array(rewards, np.float64),
        np.array(terminations, np.bool_),
        np.array(truncations, np.bool_),
        with_masks(stack_infos(list(infos)), len(rows)),
    )


class Slots:
    """Some remotes behind a synchronous face.

    Args:
        options: What was said about them.
        number: How many are needed.
        open_pool: Gives the pool (see `auniverse.acquire.open_pool`).

    Raises:
        UsageError: The options name another number of remotes, or something unknown.
    """

    def __init__(self, options: Options, number: int, *, open_pool: OpenPool = open_pool) -> None:
        self.options = options
        self.num_envs = number
        self.spec = options.spec(number)
        if number < 1:
            raise UsageError(f"{number} remotes are too few")
        if (given := count_remotes(self.spec)) != number:
            raise UsageError(f"{number} remotes are needed, not the {given} of remotes=")
        self._env = catalogued(options.env_id, self.spec)
        self._open_pool = open_pool
        self._closed = False
        self._portal: Portal | None = None
        self._opened: Opened[SessionPool] | None = None
        self._phases = [Phase.FRESH] * number
        self._held = [Held() for _ in range(number)]
        self._lost: dict[int, Row] = {}

    # -- what they are -------------------------------------------------------------------------

    @property
    def opened(self) -> bool:
        """Whether the remotes have been acquired."""
        return self._opened is not None

    @cached_property
    def description(self) -> Description:
        """What is played; to be asked may acquire the remotes and raise what `pool` raises."""
        return describe(self._env, self.options.size, self._ask)

    @cached_property
    def preset(self) -> Preset:
        """What turns actions into events."""
        return choose_preset(self.options.actions, self.description.controls)

    @property
    def text(self) -> bool:
        """Whether observations have a text."""
        return self.description.text if self.options.text is None else self.options.text

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """The shape of what is seen of a screen."""
        controls = self.description.controls
        return (self.options.view or View()).shape(controls.height, controls.width)

    def picture(self, slot: int, seen: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the whole screen of a slot, uint8 (height, width, 3) RGB, read-only.

        Args:
            slot: Which one.
            seen: What was last seen of it, which is all of it if there is no view.
        """
        if self.options.view is None or self._lost.get(slot):
            return seen
        return self._call(_screen(self.pool, slot))

    @property
    def fps(self) -> float:
        """Steps a second as far as that is known without asking the remote."""
        asked = self.options.fps
        if isinstance(asked, int | float) and 0 < asked < math.inf:
            return float(asked)
        return 60.0 if self._env is None else self._env.fps

    def where(self, phase: Phase) -> list[int]:
        """Return the slots in that phase, ascending."""
        return [slot for slot in range(self.num_envs) if self._phases[slot] is phase]

    def _ask(self) -> SessionPool:
        pool = self.pool
        if self.options.env_id is not None and not starts_remotes(self.spec):
            self._call(pool.reset())  # it may be running something else
        return pool

    # -- opening and closing -------------------------------------------------------------------

    @property
    def pool(self) -> SessionPool:
        """The pool; the first access acquires the remotes and waits for them.

        Raises:
            ProvisionError: A remote did not start.
            RemoteError: No remote could be reached.
            UsageError: The screens have another size than was said, or it was closed.
        """
        if self._closed:
            raise UsageError("closed already")
        if self._opened is None:
            self._portal = Portal("auniverse")
            opening = self._portal.open(self._open_pool(self.spec, **self.options.pool_options()))
            try:
                self._check_size(opening.wait())
            except BaseException:
                self._portal.close()
                raise
            self._opened = opening
        if self._opened.fault is not None:
            raise self._opened.fault
        return self._opened.wait()

    def _check_size(self, pool: SessionPool) -> None:
        width, height = pool.screen_size
        known = self._env is not None and self._env.described
        if known and self.options.size not in (None, (width, height)):
            raise UsageError(
                f"the remote's screen has {width}x{height} pixels: say screen='native', "
                f"or screen='{width}x{height}'"
            )

    def close(self) -> None:
        """Give the remotes back. Twice is once."""
        self._closed = True
        if self._portal is None:
            return
        try:
            if self._opened is not None:
                self._opened.close()
        finally:
            self._portal.close()

    def _call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        assert self._portal is not None
        try:
            return self._portal.call(coroutine)
        except BaseException:  # nobody knows how far it came
            self._phases = [Phase.FRESH] * self.num_envs
            raise

    # -- playing -------------------------------------------------------------------------------

    def restart(self, seeds: Mapping[int, int | None]) -> Turn:
        """Begin an episode in some slots and wait for their first observations.

        Args:
            seeds: The slots, ascending, and a seed for each. With None a slot that is over takes
                the episode that its remote begins by itself.

        Raises:
            ProvisionError: A remote did not start.
            RemoteError: All remotes are lost for good.
        """
        pool = self.pool
        asked = {
            slot: seed
            for slot, seed in seeds.items()
            if seed is not None or self._phases[slot] is not Phase.OVER
        }
        turn = self._call(self._restart(pool, list(seeds), asked))
        for slot in seeds:
            self._phases[slot] = Phase.PLAYING
            self._held[slot].clear()
        return turn

    async def _restart(
        self, pool: SessionPool, slots: list[int], asked: Mapping[int, int | None]
    ) -> Turn:
        await self._refuse_if_all_are_lost(pool)
        rows = dict(self._lost)
        if ids := [slot for slot in asked if slot not in rows]:
            screens, infos = await pool.reset([asked[slot] for slot in ids], ids)
            none = np.zeros(len(ids))
            turn = Turn(screens, none, none > 0, none > 0, with_masks(infos, len(ids)))
            rows |= self._sort(ids, turn)
            if ids == slots and all(map(_begun, rows.values())):
                return turn  # as it came: nothing has to be put together
        while ids := [slot for slot in slots if slot not in rows or not _begun(rows[slot])]:
            rows |= self._sort(ids, await self._exchange(pool, [[]] * len(ids), ids))
        return stack([rows[slot] for slot in slots])

    def step(self, actions: Sequence[Any]) -> Turn:
        """Act in every slot and wait for all results.

        The action of a slot that is over is dropped, and its result is the first observation of
        its next episode.

        Raises:
            InvalidActionError: An action is not from the preset's space; nothing was sent.
            RemoteError: All remotes are lost for good.
        """
        pool = self.pool
        events = [
            self.preset.events(action, held) if phase is Phase.PLAYING else []
            for action, held, phase in zip(actions, self._held, self._phases, strict=True)
        ]
        turn = self._call(self._step(pool, events))
        over = turn.terminations | turn.truncations
        for slot, held in enumerate(self._held):
            held.note(events[slot])
            if over[slot] or turn.infos["reset"][slot]:
                held.clear()
            self._phases[slot] = Phase.OVER if over[slot] else Phase.PLAYING
        return turn

    async def _step(self, pool: SessionPool, events: list[list[Event]]) -> Turn:
        await self._refuse_if_all_are_lost(pool)
        lost = dict(self._lost)
        ids = [slot for slot in range(self.num_envs) if slot not in lost]
        turn = await self._exchange(pool, [events[slot] for slot in ids], ids)
        rows = self._sort(ids, turn) if lost or "fault" in turn.infos else {}
        if not lost:
            return turn
        return stack([(rows | lost)[slot] for slot in range(self.num_envs)])

    async def _exchange(self, pool: SessionPool, events: list[list[Event]], ids: list[int]) -> Turn:
        pool.send(events, ids)
        batch = await pool.recv(min_envs=len(ids))
        screens, rewards, terminations, truncations, infos = batch
        return Turn(screens, rewards, terminations, truncations, with_masks(infos, len(batch)))

    def _sort(self, ids: list[int], turn: Turn) -> dict[int, Row]:
        """Return the rows by slot, and remember those that are lost for good."""
        rows = dict(zip(ids, split(turn), strict=True))
        self._lost |= {slot: row for slot, row in rows.items() if row.lost}
        return rows

    async def _refuse_if_all_are_lost(self, pool: SessionPool) -> None:
        if len(self._lost) == self.num_envs:
            await pool.reset()  # raises the error of the first


async def _screen(pool: SessionPool, slot: int) -> NDArray[np.uint8]:
    screen = pool.screen(slot)
    screen.flags.writeable = False
    return screen


def _begun(row: Row) -> bool:
    return row.lost or bool(row.info["reset"])
