"""What stands in for a link while its connection is being changed: TLS begins, or others talk."""

from __future__ import annotations

import asyncio
from typing import Protocol


class Absent(Protocol):
    """The link that will have its connection again."""

    def eof_received(self) -> None:
        """Hear that the server ended."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Hear that the connection is gone."""


class Held(asyncio.Protocol):
    """Keeps what comes meanwhile, and passes on that the connection ends.

    A server's first words inside TLS may arrive together with the end of TLS's own handshake,
    before anybody has heard that it is over.

    Attributes:
        rest: What came and was not taken.
    """

    #: Bytes that are kept before the socket must wait.
    LIMIT = 1 << 16

    def __init__(self, link: Absent, transport: asyncio.Transport) -> None:
        self.rest = bytearray()
        self._link = link
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Keep it; with too much of it, let the rest wait in the socket."""
        self.rest += data
        if len(self.rest) > self.LIMIT:
            self._transport.pause_reading()

    def eof_received(self) -> None:
        """Tell the link."""
        self._link.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the link."""
        self._link.connection_lost(exc)
