"""When a slot's next step is due, and how often it was missed."""

from __future__ import annotations

import math


class Pace:
    """A clock that ticks so many times a second, and starts anew when it was missed.

    Args:
        fps: Ticks a second. Infinity: every step is due at once. None: time ends no step, but
            something that arrives does. "default": what `restart` is told.

    Attributes:
        timed: Whether time ends a step.
        due: `loop.time()` at which the running step ends.
        missed: Ticks that passed without a step, because the agent or this process was late.
    """

    def __init__(self, fps: float | str | None = "default") -> None:
        self.timed = fps is not None
        self.due = 0.0
        self.missed = 0
        self.period = 0.0
        self._follows = isinstance(fps, str)
        if isinstance(fps, int | float):
            self.period = 0.0 if math.isinf(fps) else 1.0 / fps

    def restart(self, now: float, fps: float) -> None:
        """Begin to count at `now`, as after a reset; the environment's own figure is `fps`."""
        self.due = now
        if self._follows:
            self.period = 1.0 / fps

    def go_on(self, now: float) -> None:
        """Time stood still until `now`: what was due meanwhile is due now, and not late."""
        self.due = max(self.due, now)

    def begin(self, now: float) -> None:
        """A step begins: it is due one period after the last one was, or now if that is past."""
        self.due += self.period
        if now > self.due:
            if self.period:
                self.missed += math.ceil((now - self.due) / self.period)
            self.due = now
