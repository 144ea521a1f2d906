"""A socket that is read past the transport it belongs to.

asyncio reads into memory that it was given before anybody knows what comes. A decoder that reads by
itself puts bytes where they belong, and goes on while there are more.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable


class Intake:
    """The reading half of a transport's socket; writing remains with the transport."""

    def __init__(self, file: int, ready: Callable[[int], None]) -> None:
        self._file = file  # our own: asyncio watches none that a transport has
        self._ready = ready
        self._loop = asyncio.get_running_loop()
        self._reading = False

    @classmethod
    def of(cls, transport: asyncio.Transport, ready: Callable[[int], None]) -> Intake | None:
        """Take a socket from its transport, which no longer reads then.

        Args:
            transport: What the socket belongs to.
            ready: Called with a descriptor of the socket whenever that has something to read.

        Returns:
            None if the bytes of the socket are not what the transport gives (TLS), or if the event
            loop watches no sockets.
        """
        socket = transport.get_extra_info("socket")
        if socket is None or transport.get_extra_info("sslcontext") is not None:
            return None
        intake = cls(os.dup(socket.fileno()), ready)
        try:
            intake.resume_reading()
        except NotImplementedError:
            intake.close()
            return None
        transport.pause_reading()
        return intake

    def resume_reading(self) -> None:
        """Have what comes told."""
        if self._file >= 0 and not self._reading:
            self._loop.add_reader(self._file, self._ready, self._file)
            self._reading = True

    def pause_reading(self) -> None:
        """Let it wait in the socket."""
        if self._reading:
            self._loop.remove_reader(self._file)
            self._reading = False

    def close(self) -> None:
        """Give the descriptor back; idempotent."""
        self.pause_reading()
        if self._file >= 0:
            os.close(self._file)
        self._file = -1
