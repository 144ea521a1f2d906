"""From scores to rewards. The three rules are those that Universe's flash games were played by."""

from __future__ import annotations

from typing import Protocol


class Rule(Protocol):
    """Makes rewards of one episode's scores."""

    def begin(self) -> None:
        """Begin an episode."""

    def reward(self, score: float, now: float) -> float:
        """Return what a score, read at `now` seconds, is worth."""


class Score:
    """What has been added to the score; the first that is read is worth nothing by itself.

    Args:
        initial_score: What every episode begins with, so that the first one counts too.
        allow_negative_rewards: Whether points that are lost are a loss. If not, they are worth
            nothing until they have been won back.
    """

    def __init__(
        self, initial_score: float | None = None, *, allow_negative_rewards: bool = False
    ) -> None:
        self._initial = initial_score
        self._allow_negative = allow_negative_rewards
        self._last = initial_score

    def begin(self) -> None:
        """Begin an episode."""
        self._last = self._initial

    def reward(self, score: float, now: float) -> float:
        """Return the difference to the last score, or to the highest."""
        if self._last is None:
            self._last = score
        if score < self._last and not self._allow_negative:
            return 0.0
        gained, self._last = score - self._last, score
        return gained


class NegativeScore(Score):
    """For what had better stay low, such as a clock: what was added to it is lost."""

    def __init__(self, initial_score: float | None = None) -> None:
        super().__init__(initial_score, allow_negative_rewards=True)

    def reward(self, score: float, now: float) -> float:
        """Return the difference to the last score, with the other sign."""
        return -super().reward(score, now) or 0.0  # and no -0.0


class AverageScore:
    """For what is no sum, such as a speed: the rewards add up to its mean over the time played."""

    def __init__(self) -> None:
        self._begun: float | None = None
        self.begin()

    def begin(self) -> None:
        """Begin an episode."""
        self._begun = None
        self._area = self._mean = self._last = self._at = 0.0

    def reward(self, score: float, now: float) -> float:
        """Return by how much the mean has changed; a score counts until the next one is read."""
        if self._begun is None:
            self._begun, self._last, self._at, self._mean = now, score, now, score
            return score
        self._area += self._last * (now - self._at)
        self._last, self._at = score, now
        before, played = self._mean, now - self._begun
        self._mean = self._area / played if played > 0 else score
        return self._mean - before
