"""How often, and how soon, a lost remote is tried again."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from auniverse.errors import RemoteError


@dataclass(slots=True)
class Budget:
    """Tries of one slot: exponential pauses with jitter, then no more.

    A remote that lived for `forgive` seconds has its earlier losses forgiven.

    Attributes:
        tries: Losses in a row that are answered with another try.
        pause: Seconds before the first try; it doubles up to `longest`.
        causes: Losses by the name of their error, over the life of the slot.
    """

    tries: int = 5
    pause: float = 0.5
    longest: float = 10.0
    forgive: float = 60.0
    causes: Counter[str] = field(default_factory=Counter)
    jitter: Callable[[], float] = random.random
    _losses: int = 0

    def spend(self, error: RemoteError, lived: float) -> float | None:
        """Return the seconds to wait before the next try, None if there is none.

        Args:
            error: Why the remote was lost.
            lived: Seconds for which it had been open.
        """
        self.causes[type(error).__name__] += 1
        if lived >= self.forgive:
            self._losses = 0
        self._losses += 1
        if not error.retryable or self._losses > self.tries:
            return None
        pause = min(self.pause * 2.0 ** (self._losses - 1), self.longest)
        return float(pause * (0.5 + self.jitter() / 2))
