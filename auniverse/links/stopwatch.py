"""A sum of seconds that several links can share."""

from __future__ import annotations


class Stopwatch:
    """Seconds spent on something so far.

    Attributes:
        seconds: Whoever spends some adds them here.
    """

    __slots__ = ("seconds",)

    def __init__(self) -> None:
        self.seconds = 0.0
