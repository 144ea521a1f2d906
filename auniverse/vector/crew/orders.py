"""What a pool and its workers tell each other.

A pool sends `Orders`, a worker `Answer`s and, before the first, one `Opened`. Slots are counted
within the worker's share here: its first is 0.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from auniverse.address import Remote
from auniverse.errors import AuniverseError
from auniverse.rewarder import V1
from auniverse.session import InputEvent

from ..batch import Result


class Patience(Enum):
    """When a worker stops waiting and answers."""

    PLAYING = "all that play have a result; at once if none plays"
    SOME = "one has a result"
    ALL = "all have one, except those that never will"
    RESET = "all have one, except those without a remote: they answer with their fault"


class Open(NamedTuple):
    """Open a pool on these remotes; the first order, and the only one of its kind.

    Attributes:
        remotes: The share, one remote for each slot.
        env_ids: What each plays.
        kept: Which of them the other side can replace.
        options: What else `SessionPool` takes.
    """

    remotes: list[Remote]
    env_ids: list[str | None]
    kept: list[bool]
    options: dict[str, Any]


class Opened(NamedTuple):
    """Every remote was tried.

    Attributes:
        errors: For each slot why it has no remote; None: it has one.
        dead: For each slot whether it will never have one.
        remotes: Those that the worker has started itself, without their passwords.
    """

    errors: list[AuniverseError | None]
    dead: list[bool]
    news: News
    remotes: list[Remote] | None = None


class Refused(NamedTuple):
    """The pool could not be opened; the worker ends."""

    error: Exception


class Settle(NamedTuple):
    """Batches are made of screens of this size, and lie in the shared file from now on.

    Attributes:
        size: Height and width.
        rows: Of a block, those of all workers.
        first: The row of the worker's first slot.
    """

    size: tuple[int, int]
    rows: int
    first: int


class Begin(NamedTuple):
    """Begin episodes: slots, and for each a seed and what to play from now on, None for as is."""

    episodes: list[tuple[int, int | None, str | None]]


class Act(NamedTuple):
    """Act: slots, and the input for each."""

    actions: list[tuple[int, list[InputEvent]]]


class Rest(NamedTuple):
    """Remotes stand still from now on, or run on: slots, and whether they rest."""

    slots: list[int]
    on: bool


class Collect(NamedTuple):
    """Answer with the results of slots; it takes the place of an earlier one.

    Attributes:
        number: Which `Collect` this is.
        slots: Whose results.
        patience: When to answer.
        seconds: Answer then with what there is; None: no limit.
        block: The block of the shared file that their pixels go to.
    """

    number: int
    slots: list[int]
    patience: Patience
    seconds: float | None
    block: int


class Withdraw(NamedTuple):
    """Nobody waits for the running `Collect` any more: leave the results where they are."""


class Told(NamedTuple):
    """What came of an `Ask`."""

    number: int
    value: Any
    error: Exception | None


Order = Open | Settle | Begin | Act | Rest | Collect | Withdraw | Told


class News(NamedTuple):
    """What a pool knows of itself.

    Attributes:
        size: Height and width of the largest screens; zeros before one opened.
        v1: What the first remote says of itself.
        stats: As `SessionPool.stats`, but where the time goes, which only the other side knows.
        decoding: Seconds that it spent on decoding.
    """

    size: tuple[int, int]
    v1: V1 | None
    stats: dict[str, Any]
    decoding: float = 0.0


class Answer(NamedTuple):
    """The results that a `Collect` waited for.

    Attributes:
        number: Of the `Collect`.
        begun: How many `Begin` came before this answer.
        results: By slots, ascending.
        lost: The slots asked for that have no remote: why, and whether it is for good.
        pixels: uint8 (results, ...) where no file is shared, else None.
    """

    number: int
    begun: int
    results: list[Result]
    lost: dict[int, tuple[AuniverseError | None, bool]]
    news: News
    pixels: NDArray[np.uint8] | None


class Ask(NamedTuple):
    """A worker wants something done by the fleet of the other side.

    Attributes:
        number: To be repeated in `Told`.
        what: "replace", "pause" or "resume", as `Fleet` has them, or "describe" (see `Doing`).
        remote: The remote.
    """

    number: int
    what: str
    remote: Remote


class Doing(NamedTuple):
    """How a remote is doing, as the methods of `Fleet` by these names tell it."""

    alive: bool | None
    log_tail: str
    cause_of_death: str
