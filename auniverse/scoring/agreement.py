"""Two sources that tell of one score: an episode ends when both have told all of it."""

from __future__ import annotations

from collections.abc import Sequence

from .scorer import Sight

#: Seconds that the slower source may take; a browser on a busy machine needs some tenths.
PATIENCE = 1.0


class Agreement:
    """Holds an episode's end back until the other sources have caught up.

    What a program draws and what it says come by ways of their own. When the end is seen, what was
    said just before it may still be on its way, and the other way round.

    Args:
        patience: Seconds that the end is held back at most.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self.begin()

    def begin(self) -> None:
        """Begin an episode."""
        self._ended: float | None = None

    def settle(self, counts: Sight, others: Sequence[Sight], now: float) -> Sight:
        """Return what is to be reported of the source that counts.

        Its rewards are, as they come. Its end is not before each of the others has ended too, or
        shows the same score. An episode that is given up ends at once: nobody will say more.

        Args:
            counts: What the source that counts has just brought.
            others: What the others have.
            now: Seconds on any clock that never goes back.
        """
        if self._ended is None:
            if not counts.over or counts.reason:
                return counts
            self._ended = now
        agreed = all(other.over or other.score == counts.score for other in others)
        return counts._replace(over=agreed or now - self._ended >= self._patience, reason="")
