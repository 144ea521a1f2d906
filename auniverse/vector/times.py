"""Where the time of a pool goes, and what to buy for it.

The wall time from the first call of the agent on is cut into five parts: the pool *waits* for
remotes (their ticks, their hosts, their resets), *decodes* what they send while the agent waits for
it, *copies* pixels into batches, does what is left to do (*stepping*), and the *agent* has its
turn. What is decoded during the agent's turn costs it nothing, so that it counts as the agent's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

from auniverse.links import Stopwatch

Part = Literal["waiting", "decoding", "copying", "stepping", "agent"]
PARTS: tuple[Part, ...] = get_args(Part)

#: What each part is called in a verdict, and what makes it smaller.
_REMEDIES: dict[Part, tuple[str, str]] = {
    "waiting": ("env-bound", "waiting for remotes: more or faster remotes, or a higher fps"),
    "decoding": ("decode-bound", "decoding: another link or encoding, more cores with workers="),
    "copying": ("copy-bound", "copying pixels: a smaller view"),
    "stepping": ("pool-bound", "stepping the slots: more cores with workers="),
    "agent": ("agent-bound", "the agent's turn: a faster agent"),
}


class Times:
    """A watch that always runs for one part.

    As a context manager it is the agent's call: it runs for `stepping` inside, and for the agent
    outside. It stands still until the first call.

    Args:
        clock: Tells the time in seconds.
        decoding: What was spent on decoding, whoever's turn it was.

    Attributes:
        seconds: What each part took so far.
    """

    def __init__(self, clock: Callable[[], float], decoding: Stopwatch) -> None:
        self.seconds: dict[Part, float] = dict.fromkeys(PARTS, 0.0)
        self._clock = clock
        self._part: Part | None = None
        self._since = 0.0
        self._decoding = decoding
        self._decoded = 0.0
        self._calls = 0

    def __enter__(self) -> None:
        self._calls += 1
        if self._calls == 1:
            self.turn("stepping")

    def __exit__(self, *error: object) -> None:
        self._calls -= 1
        if not self._calls:
            self.turn("agent")

    def turn(self, part: Part) -> None:
        """From now on it is the turn of `part`."""
        now = self._clock()
        if self._part is not None:
            elapsed = now - self._since
            if self._part == "waiting":
                decoded = min(self._decoding.seconds - self._decoded, elapsed)
                self.seconds["decoding"] += decoded
                elapsed -= decoded
            self.seconds[self._part] += elapsed
        self._part, self._since, self._decoded = part, now, self._decoding.seconds

    def shares(self) -> dict[str, float]:
        """Return seconds by part, and of all parts under "seconds"."""
        return {
            "seconds": sum(self.seconds.values()),
            **{part: self.seconds[part] for part in PARTS},
        }


def verdict(times: dict[str, float]) -> str:
    """Say in one line what most of the time went to, and what to do about it.

    Args:
        times: What `Times.shares` returns.
    """
    total = times["seconds"]
    if total <= 0:
        return "nothing was measured"
    part = max(PARTS, key=lambda part: times[part])
    name, remedy = _REMEDIES[part]
    return f"{name}: {times[part] / total:.0%} of the time is {remedy}"
