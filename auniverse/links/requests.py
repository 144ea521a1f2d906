"""Which update to ask a server for next, and when: as early as may be, and never twice."""

from __future__ import annotations

from enum import IntEnum

from auniverse.rfb import Connection


class Wants(IntEnum):
    """What to ask a server for next."""

    NOTHING = 0
    NEWS = 1
    EVERYTHING = 2


_NEWS, _EVERYTHING = Wants.NEWS, Wants.EVERYTHING  # to look them up takes longer than all of `due`


class Requests:
    """Keeps one request armed, however many updates come in one piece.

    The next update is asked for when one begins to come in: the server need not wait for us.

    Attributes:
        next_update: The request for what is new, "" before the screen is there.
    """

    def __init__(self, connection: Connection) -> None:
        self.next_update = b""
        self._connection = connection
        self._asked = False  # for the update after the one that is coming in

    def due(self, wants: Wants, updates: int = 0) -> bytes:
        """Return what to send now, behind whatever else the connection has to say.

        Args:
            wants: What the events since last time call for, besides updates that ended.
            updates: How many of these there were.
        """
        connection = self._connection
        if wants is _EVERYTHING:
            connection.request_update(incremental=False)
            if connection.continuous:  # the screen may have another size
                connection.update_continuously()
            self.next_update = connection.update_message()
            self._asked = False
            return b""
        if updates:
            if not self._asked or updates > 1:  # else it was asked for while that one came
                wants = _NEWS
            self._asked = False
        if connection.continuous or not self.next_update:
            return b""
        early = not self._asked and connection.updating
        if not early and wants is not _NEWS:
            return b""
        assert connection.framebuffer is not None
        connection.framebuffer.allow_resizes()
        self._asked = early
        return self.next_update
