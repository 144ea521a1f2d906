"""The `Scorer` of programs that show their score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .digits import Digits
from .judge import Judge
from .marks import Mark
from .scorer import Picture, Sight


class ScreenScorer:
    """Reads a score from every picture that it is shown.

    Args:
        judge: What makes rewards of it.
        digits: What reads it; None if the program shows none.
        over: The game is over when one of these is on the screen.
    """

    def __init__(self, judge: Judge, digits: Digits | None, over: Sequence[Mark] = ()) -> None:
        self._judge = judge
        self._digits = digits
        self._over = tuple(over)
        self.begin()

    def begin(self) -> None:
        """Begin an episode; its clock starts with the first look."""
        self._judge.begin()
        self._picture: Picture | None = None

    def look(self, picture: Picture, now: float) -> Sight:
        """Read the score and look for the end; see `Scorer`."""
        changed = self._picture is None or not np.array_equal(picture, self._picture)
        if changed:
            self._picture = picture.copy()
        score = self._digits.read(picture) if self._digits is not None else None
        over = any(mark.is_on(picture) for mark in self._over)
        return self._judge.judge(score, over, now, changed=changed)
