"""From what was read to what is reported: rewards, and when an episode is given up."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from .rules import Rule
from .scorer import Sight


@dataclass(frozen=True, slots=True)
class Patience:
    """After how many seconds an episode is ended; the defaults are Universe's.

    Attributes:
        stale: Without any change of what is shown.
        unreadable: Without a score that can be read.
        barren: Without a reward other than 0.
        limit: Of all.
    """

    stale: float = 100.0
    unreadable: float = 70.0
    barren: float = inf
    limit: float = inf


class Judge:
    """Makes one episode's rewards of its scores, wherever these come from.

    Args:
        rule: What scores are worth.
        patience: When the episode is ended although nobody says that it is over.
        max_delta: By how much a score may differ from the one before; one that differs more was
            misread.
    """

    def __init__(self, rule: Rule, patience: Patience, max_delta: float = inf) -> None:
        self._rule = rule
        self._patience = patience
        self._max_delta = max_delta
        self.begin()

    def begin(self) -> None:
        """Begin an episode; its clock starts with the first `judge`."""
        self._rule.begin()
        self._begun: float | None = None
        self._changed = self._readable = self._fruitful = 0.0
        self._last: float | None = None

    def judge(self, score: float | None, over: bool, now: float, *, changed: bool) -> Sight:
        """Return what is to be reported.

        Args:
            score: What was read just now, None if that was nothing.
            over: Whether the program says that the episode is over.
            now: Seconds on any clock that never goes back.
            changed: Whether anything has changed since the last time.
        """
        if self._begun is None:
            self._begun = self._changed = self._readable = self._fruitful = now
        if changed:
            self._changed = now
        if score is not None and self._last is not None:
            score = score if abs(score - self._last) <= self._max_delta else None
        reward = 0.0
        if score is not None:
            self._last, self._readable = score, now
            reward = self._rule.reward(score, now)
        if reward:
            self._fruitful = now
        reason = "" if over else self._impatience(now)
        return Sight(reward, over or bool(reason), score, reason)

    def _impatience(self, now: float) -> str:
        """Return why the episode has to end, "" if it need not."""
        assert self._begun is not None
        patience = self._patience
        for since, longest, what in (
            (self._changed, patience.stale, "nothing has changed on the screen"),
            (self._readable, patience.unreadable, "no score could be read"),
            (self._fruitful, patience.barren, "there was no reward"),
            (self._begun, patience.limit, "the episode has lasted"),
        ):
            if now - since >= longest:
                return f"{what} for {longest:g} s"
        return ""
