"""The `Scorer` of programs that show their score: what it reads, when it gives up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from .digits import Digits
from .marks import Mark
from .rules import Rule
from .scorer import Picture, Sight


@dataclass(frozen=True, slots=True)
class Patience:
    """After how many seconds an episode is ended; the defaults are Universe's.

    Attributes:
        stale: Without any change of the picture.
        unreadable: Without a score that can be read.
        barren: Without a reward other than 0.
        limit: Of all.
    """

    stale: float = 100.0
    unreadable: float = 70.0
    barren: float = inf
    limit: float = inf


class ScreenScorer:
    """Reads a score from every picture that it is shown.

    Args:
        digits: What reads it; None if the program shows none.
        rule: What makes rewards of it.
        over: The game is over when one of these is on the screen.
        patience: When the episode is ended anyway.
        max_delta: By how much a score may differ from the one before; one that differs more was
            misread.
    """

    def __init__(
        self,
        digits: Digits | None,
        rule: Rule,
        *,
        over: Sequence[Mark] = (),
        patience: Patience = Patience(),  # noqa: B008  # it is frozen
        max_delta: float = inf,
    ) -> None:
        self._digits = digits
        self._rule = rule
        self._over = tuple(over)
        self._patience = patience
        self._max_delta = max_delta
        self.begin()

    def begin(self) -> None:
        """Begin an episode; its clock starts with the first look."""
        self._rule.begin()
        self._picture: Picture | None = None
        self._begun: float | None = None
        self._changed = self._readable = self._fruitful = 0.0
        self._last: float | None = None

    def look(self, picture: Picture, now: float) -> Sight:
        """Read the score and look for the end; see `Scorer`."""
        if self._begun is None:
            self._begun = self._changed = self._readable = self._fruitful = now
        if self._picture is None or not np.array_equal(picture, self._picture):
            self._picture, self._changed = picture.copy(), now
        score = self._read(picture)
        reward = 0.0
        if score is not None:
            self._readable = now
            reward = self._rule.reward(score, now)
        if reward:
            self._fruitful = now
        if any(mark.is_on(picture) for mark in self._over):
            return Sight(reward, True, score)
        reason = self._impatience(now)
        return Sight(reward, bool(reason), score, reason)

    def _read(self, picture: Picture) -> float | None:
        score = self._digits.read(picture) if self._digits is not None else None
        if score is None:
            return None
        if self._last is not None and abs(score - self._last) > self._max_delta:
            return None
        self._last = score
        return score

    def _impatience(self, now: float) -> str:
        """Return why the episode has to end, "" if it need not."""
        assert self._begun is not None
        patience = self._patience
        waits = (
            (self._changed, patience.stale, "the screen has not changed"),
            (self._readable, patience.unreadable, "no score could be read"),
            (self._fruitful, patience.barren, "there was no reward"),
            (self._begun, patience.limit, "the episode has lasted"),
        )
        if self._digits is None:
            waits = (waits[0], *waits[3:])
        for since, longest, what in waits:
            if now - since >= longest:
                return f"{what} for {longest:g} s"
        return ""
