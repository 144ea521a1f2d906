"""What counts as hearing from a server: messages that end, or enough of one that is long.

A server that sends a byte now and then inside of a rectangle is never silent and never done. Bytes
of a message that has begun before count only once there are `DRIP` of them; a slow line brings that
many in a moment. How long a server may go without being heard is not said here but by the session,
which also knows of remotes that stand still on purpose.
"""

from __future__ import annotations

from typing import Protocol

#: Bytes of an unfinished message; fewer are not heard.
DRIP = 256


class Received(Protocol):
    """What is asked of a connection."""

    bytes_received: int

    @property
    def pending(self) -> bool:
        """Whether something has arrived that was not read yet."""

    @property
    def unfinished(self) -> tuple[int, int] | None:
        """Which message has begun and not ended."""


class Progress:
    """Notes how far a connection has come, whenever somebody asks.

    Args:
        connection: That one.
        now: When it began: `loop.time()`.
    """

    def __init__(self, connection: Received, now: float) -> None:
        self._connection = connection
        self._begun: tuple[int, int] | None = None
        self._received = 0
        self._heard_at = now

    def heard_at(self, now: float) -> float:
        """Return when the server was last found to have said something, `now` if just now."""
        connection = self._connection
        begun, received = connection.unfinished, connection.bytes_received
        enough = DRIP if begun is not None and begun == self._begun else 1
        # What lies here unread is our delay, not the server's.
        if connection.pending or received - self._received >= enough:
            self._begun, self._received, self._heard_at = begun, received, now
        return self._heard_at
