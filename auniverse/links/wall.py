"""Unix time that never jumps: the event loop's clock plus an offset taken once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime


class WallClock:
    """Seconds since 1970 by the event loop's monotonic clock.

    Clock skews are measured against this clock, so a correction of the machine's time in the
    middle of a run must not shift it.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._epoch = datetime.now(UTC).timestamp() - self._loop.time()

    def __call__(self) -> float:
        """Return the time now, in unix seconds."""
        return self._epoch + self._loop.time()
