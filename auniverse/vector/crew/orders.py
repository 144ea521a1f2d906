"""What a pool and its workers tell each other.

A pool sends `Order`s, a worker one `Opened`, then `Answer`s, and what comes of the rest.
Slots go by the indices that they have in the whole pool.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from auniverse.address import Remote
from auniverse.errors import AuniverseError
from auniverse.rewarder import V1
from auniverse.session import InputEvent

from ..batch import Result
from ..shared import Handle


class Patience(Enum):
    """When a worker stops waiting and answers."""

    PLAYING = "all that play have a result; at once if none plays"
    SOME = "one has a result"
    ALL = "all have one, except those that never will"
    RESET = "all have one, except those without a remote: they answer with their fault"


class Place(NamedTuple):
    """A slot that a worker shall have.

    Attributes:
        slot: Its index.
        remote: Its remote.
        env_id: What it plays.
        kept: Whether the other side can replace the remote.
    """

    slot: int
    remote: Remote
    env_id: str | None
    kept: bool


class Open(NamedTuple):
    """Open a pool on these remotes; the first order, and the only one of its kind.

    Attributes:
        places: The share.
        options: What else `SessionPool` takes.
    """

    places: list[Place]
    options: dict[str, Any]


class Tried(NamedTuple):
    """A slot's remote was tried.

    Attributes:
        error: Why the slot has no remote; None: it has one.
        dead: Whether it will never have one.
        remote: One that the worker has started itself, without its passwords.
    """

    error: AuniverseError | None
    dead: bool
    remote: Remote | None = None


class Opened(NamedTuple):
    """Every remote was tried.

    Attributes:
        tried: What came of it, by slot.
        news: What the pool knows of itself.
    """

    tried: dict[int, Tried]
    news: News


class Refused(NamedTuple):
    """The pool could not be opened; the worker ends."""

    error: Exception


class Settle(NamedTuple):
    """Batches are made of screens of this size, and lie in the shared file from now on.

    Attributes:
        size: Height and width.
        rows: Of a block, those of all workers, with room for slots that come later.
    """

    size: tuple[int, int]
    rows: int


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


class Ping(NamedTuple):
    """Say `Pong`."""


class Enter(NamedTuple):
    """Take in more slots; `Entered` tells when they were tried."""

    places: list[Place]


class Leave(NamedTuple):
    """Let slots go; `Done` tells when their sessions are closed."""

    number: int
    slots: list[int]


class Freeze(NamedTuple):
    """Let a slot's remote, one that the worker has started, stand still, or run on, and be `Done`.

    Attributes:
        number: To be repeated in `Done`.
        slot: Whose.
        on: Whether it stands still from now on.
    """

    number: int
    slot: int
    on: bool


class Told(NamedTuple):
    """What came of an `Ask`."""

    number: int
    value: Any
    error: Exception | None


Order = (
    Open | Settle | Begin | Act | Rest | Collect | Withdraw | Ping | Enter | Leave | Freeze | Told
)


class News(NamedTuple):
    """What a pool knows of itself.

    Attributes:
        size: Height and width of the largest screens; zeros before one opened.
        v1: What the first remote says of itself.
        stats: Of each slot what it has counted.
        decoding: Seconds that it spent on decoding.
        screens: Where the screens are that have opened since the last news, if in memory to share.
    """

    size: tuple[int, int]
    v1: V1 | None
    stats: Mapping[int, dict[str, Any]]
    decoding: float = 0.0
    screens: Mapping[int, Handle] | None = None


class Pong(NamedTuple):
    """The worker lives: its first word, and the answer to each `Ping`."""


class Entered(NamedTuple):
    """Slots that came later were tried; as `Opened`."""

    tried: dict[int, Tried]
    news: News


class Done(NamedTuple):
    """A `Leave` or a `Freeze` is done, or cannot be done."""

    number: int
    error: AuniverseError | None = None


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
