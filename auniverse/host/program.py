"""What a host shows and plays: the program on the far side, as the host sees it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeGuard

import numpy as np
from numpy.typing import NDArray

from auniverse.errors import UsageError
from auniverse.rfb import KeyEvent, PointerEvent

if TYPE_CHECKING:
    from auniverse.runtimes import Env, Section
    from auniverse.scoring import Sight

    from .desktop import Desktop

#: Characters that a live program may tell the agent at once.
LONGEST = 4096

#: A picture: uint8, shape (height, width, 3), RGB.
Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a client may know about an environment before its first frame.

    Attributes:
        env_id: The id it was loaded by.
        fps: Frames per second of real time.
        width: Columns of the program's own picture, in pixels.
        height: Rows of it.
        actions: Discrete action k is the k-th combination of keys (names as in
            `auniverse.keysyms`); empty where the actions are no list.
        press: "hold": a key counts in every frame while it is down. "tap": every press is one
            turn, and between presses nothing happens.
        keys: All keys that mean something, in the order of the actions or of the dimensions.
        pointer: Whether the pointer means something.
        text: Whether the program says something in words.
    """

    env_id: str
    fps: float
    width: int
    height: int
    actions: tuple[tuple[str, ...], ...]
    press: Literal["hold", "tap"]
    keys: tuple[str, ...]
    pointer: bool
    text: bool


def describe(env: Env, size: tuple[int, int]) -> Metadata:
    """Return what the catalogue says of a live program, on a screen of that size."""
    return Metadata(
        env_id=env.env_id,
        fps=env.fps,
        width=size[0],
        height=size[1],
        actions=env.actions,
        press="tap" if env.press == "tap" else "hold",
        keys=env.keys,
        pointer=env.pointer,
        text=env.text,
    )


def settings_of(env: Env) -> Section:
    """Return what the catalogue says of how a live program runs, to be read from the start.

    Raises:
        UsageError: It says nothing of it.
    """
    if env.program is None:
        raise UsageError(f"{env.env_id} has no program: in the catalogue")
    section = env.program.with_given({})
    section.text("options", "")  # whatever it names was looked at where settings come with an id
    return section


class Outcome(NamedTuple):
    """What one frame of time brought."""

    reward: float
    terminated: bool
    truncated: bool
    #: What the program says in words just now, None if nothing.
    text: str | None
    #: JSON values, handed to the clients with the reward.
    info: dict[str, Any]


class Program(Protocol):
    """One environment at a time, drawn frame by frame.

    Whatever `reset` and `advance` raise ends the episode; it never ends the host at once.
    """

    def load(self, env_id: str) -> Metadata:
        """Make `env_id` the environment; a failure leaves the one before it as it was.

        Raises:
            AuniverseError: There is no such environment, it has no keys, or a package is missing.
        """

    def reset(self, seed: int | None) -> tuple[Picture, str | None]:
        """Begin an episode, all keys up; return its first picture and what it says in words."""

    def press(self, event: KeyEvent | PointerEvent) -> None:
        """Take any input, even one that means nothing here.

        A pointer comes in pixels of the program's own picture.
        """

    def advance(self) -> tuple[Picture, Outcome]:
        """Let one frame of time pass.

        The array is the program's own: it may be drawn over by the next call.
        """

    def close(self) -> None:
        """Give back what the environment holds."""


class ProgramCrashed(Exception):
    """A live program is gone or answers no more; what it showed last is no episode any longer."""


def is_number(value: object) -> TypeGuard[int | float]:
    """Tell whether what a page says is a finite number that a float can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= sys.float_info.max  # nor is NaN


#: Where a live program puts what it has to say: an outcome, or what became of it.
Report = Callable[[Outcome | ProgramCrashed], None]


@dataclass(slots=True)
class Finding:
    """What one look at a live program brought, added up over all that is looked at.

    Attributes:
        reward: What was earned.
        over: Whether the episode has ended.
        late: Whether its time is up.
        text: What the program says in words, None if nothing new.
        info: JSON values for the clients.
    """

    reward: float = 0.0
    over: bool = False
    late: bool = False
    text: str | None = None
    info: dict[str, Any] = field(default_factory=dict)

    def add(self, reward: float, over: bool, score: float | None) -> None:
        """Add what one source says; a score is told, if there is one."""
        self.reward += reward
        self.over = self.over or over
        if score is not None:
            self.info["score"] = score

    def see(self, sight: Sight) -> None:
        """Add what was read off the screen; where the scorer has had enough, time is up."""
        self.add(sight.reward, sight.over and not sight.reason, sight.score)
        if sight.reason:
            self.late = True
            self.info["ended_by"] = sight.reason

    def tell(self, report: Report) -> bool:
        """Report it if there is anything new; return whether the episode is over."""
        if self.reward or self.over or self.late or self.text is not None:
            truncated = self.late and not self.over
            report(Outcome(self.reward, self.over, truncated, self.text, self.info))
        return self.over or self.late


class LiveProgram(Protocol):
    """One environment at a time, that runs by itself on a desktop: it is watched, not driven.

    Its viewers are the desktop's, so it never sees their input.
    """

    async def load(self, env_id: str, desktop: Desktop, report: Report) -> Metadata:
        """Make `env_id` the environment and start what it needs, anew if that has crashed.

        Args:
            env_id: Which.
            desktop: What it shows itself on.
            report: Called with what comes of the running episode, as soon as it is known.

        Raises:
            AuniverseError: There is no such environment, or something that it needs is missing.
            ProgramCrashed: It does not come up.
        """

    async def reset(self, seed: int | None) -> str | None:
        """Begin an episode; return once its first picture is drawn, with what it says in words.

        Nothing that an earlier episode earned is reported after this.

        Raises:
            ProgramCrashed: It does not.
        """

    async def close(self) -> None:
        """End what runs."""
