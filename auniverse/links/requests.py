"""Which update to ask a server for next, and when: as early as may be, and never twice."""

from __future__ import annotations

from enum import IntEnum

from auniverse.rfb import Connection


class Wants(IntEnum):
    """What to ask a server for next."""

    NOTHING = 0
    NEWS = 1
    EVERYTHING = 2


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

    def answer(self, updates: int) -> Wants:
        """Return what so many updates call for that have ended since last called."""
        armed, self._asked = self._asked and updates == 1, False  # asked while that one came
        return Wants.NOTHING if armed else Wants.NEWS

    def message(self, wants: Wants) -> bytes:
        """Return what to send now, behind whatever else the connection has to say."""
        connection = self._connection
        if wants is Wants.EVERYTHING:
            connection.request_update(incremental=False)
            if connection.continuous:  # the screen may have another size
                connection.update_continuously()
            self.next_update = connection.update_message()
            self._asked = False
        elif not connection.continuous and self.next_update:
            early = not self._asked and connection.updating
            if early or wants is Wants.NEWS:
                assert connection.framebuffer is not None
                connection.framebuffer.allow_resizes()
                self._asked = early
                return self.next_update
        return b""
