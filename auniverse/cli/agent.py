"""Agents that need no learning: one that plays at random, one that does nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from auniverse.errors import UsageError
from auniverse.rewarder import V1
from auniverse.runtimes import Env
from auniverse.spaces import Controls, Event, Held, choose_preset
from auniverse.vector import Batch


class Agent(Protocol):
    """Decides what to do in some slots of a pool."""

    def act(self, slots: Iterable[int]) -> list[list[Event]]:
        """Return one list of events for each of `slots`."""

    def observe(self, batch: Batch) -> None:
        """Take account of what came of it."""


class Noop:
    """Does nothing."""

    def act(self, slots: Iterable[int]) -> list[list[Event]]:
        """Return no events; see `Agent`."""
        return [[] for _ in slots]

    def observe(self, batch: Batch) -> None:
        """Ignore it; see `Agent`."""


class Random:
    """Plays at random, each slot by a generator of its own.

    Args:
        controls: What each slot's program is played with.
        seed: Slot i is seeded with `seed + i`; None: by chance.
        repeat: Steps for which an action is kept.
    """

    def __init__(
        self, controls: Sequence[Controls], *, seed: int | None = None, repeat: int = 1
    ) -> None:
        self._presets = [choose_preset("default", each) for each in controls]
        self._held = [Held() for _ in controls]
        self._steps = [0 for _ in controls]
        self._repeat = repeat
        for index, preset in enumerate(self._presets):
            preset.space.seed(None if seed is None else seed + index)

    def act(self, slots: Iterable[int]) -> list[list[Event]]:
        """Return the events of a random action for each slot; see `Agent`."""
        return [self._act(slot) for slot in slots]

    def _act(self, slot: int) -> list[Event]:
        self._steps[slot] += 1
        if self._steps[slot] % self._repeat:
            return []
        held = self._held[slot]
        events = self._presets[slot].events(self._presets[slot].space.sample(), held)
        held.note(events)
        return events

    def observe(self, batch: Batch) -> None:
        """Forget what was held in slots that begin anew; see `Agent`."""
        for slot, reset, valid in zip(
            batch.env_ids, batch.infos["reset"], batch.infos["valid"], strict=True
        ):
            if reset or not valid:
                self._held[slot].clear()


def controls_of(env: Env, v1: V1 | None, size: tuple[int, int]) -> Controls:
    """Return what an environment is played with: as the catalogue has it, else as it says itself.

    Args:
        env: From the catalogue.
        v1: What the remote says of itself, if it does.
        size: Width and height of its screen, in pixels.
    """
    width, height = size
    source = env if env.described or v1 is None else v1
    return Controls(source.actions, source.press, source.keys, source.pointer, width, height)


AGENTS: Mapping[str, Callable[[Sequence[Controls], int | None, int], Agent]] = {
    "random": lambda controls, seed, repeat: Random(controls, seed=seed, repeat=repeat),
    "noop": lambda controls, seed, repeat: Noop(),
}


def make_agent(
    name: str, controls: Sequence[Controls], seed: int | None = None, repeat: int = 1
) -> Agent:
    """Return the agent of that name; the arguments are those of `Random`.

    Raises:
        UsageError: There is none.
    """
    if name not in AGENTS:
        raise UsageError(f"no agent {name!r}: one of {', '.join(AGENTS)}")
    return AGENTS[name](controls, seed, repeat)
