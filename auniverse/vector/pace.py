"""When a slot's next step is due, and how often it was missed."""

from __future__ import annotations

import math


class Pace:
    """A clock that ticks `fps` times a second and starts anew when it was missed.

    `fps` of infinity is always due; None never is: the step ends when something arrives.

    Attributes:
        timed: Whether time ends a step; if not, something that arrives does.
        due: `loop.time()` at which the running step ends.
        missed: Ticks that passed without a step, because the agent or this process was late.
    """

    def __init__(self, fps: float | None) -> None:
        self.timed = fps is not None
        self.period = 0.0 if fps is None or math.isinf(fps) else 1.0 / fps
        self.due = 0.0
        self.missed = 0

    def restart(self, now: float) -> None:
        """Begin to count at `now`, as after a reset."""
        self.due = now

    def begin(self, now: float) -> None:
        """A step begins: it is due one period after the last one was, or now if that is past."""
        self.due += self.period
        if now > self.due:
            if self.period:
                self.missed += math.ceil((now - self.due) / self.period)
            self.due = now
