"""The input that goes to a server, and how much of it that has read."""

from __future__ import annotations

from collections.abc import Iterable

from auniverse.rfb import Connection, KeyEvent, PointerEvent


class Inputs:
    """Key and pointer events, counted.

    Attributes:
        sent: How many were sent.
        read: How many of them the server has confirmed to have read, by a fence.
        read_at: `loop.time()` when the newest confirmation came, 0.0 before the first.
    """

    def __init__(self, connection: Connection) -> None:
        self.sent = self.read = 0
        self.read_at = 0.0
        self._connection = connection

    def pack(self, events: Iterable[KeyEvent | PointerEvent], *, fenced: bool) -> bytes:
        """Return the messages that send them in order, "" for none.

        Args:
            events: What is pressed, released or moved.
            fenced: Whether to ask the server to tell when it has read them, if it knows fences.
        """
        connection = self._connection
        messages = [connection.input_message(event) for event in events]
        self.sent += len(messages)
        if messages and fenced and connection.fences:
            messages.append(connection.fence_message(self.sent.to_bytes(8, "big")))
        return b"".join(messages)

    def confirm(self, payload: bytes, now: float) -> None:
        """Note that a fence came back with what it was sent with; others' are not counted."""
        count = int.from_bytes(payload, "big")
        if self.read < count <= self.sent:  # or the server makes things up
            self.read, self.read_at = count, now
