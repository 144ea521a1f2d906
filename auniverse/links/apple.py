"""The door of asyncvnc, which knows Apple's authentication (security type 33, macOS's own).

asyncvnc is a whole client. It is lent the connection for its opening alone: what our core has read
already is told to it again, its words go to the server, and once it has read the server's screen
our core goes on with the next byte. Nobody vouches for the server's key in this exchange.

Imported only where a server wants it: asyncvnc is GPL-3.0.
"""

from __future__ import annotations

import asyncio

from auniverse.errors import (
    AuthenticationError,
    ConnectionLostError,
    MissingDependencyError,
    RFBError,
)

from .detour import Absent, Held

#: What a server has said before this begins, as far as it matters: RFB 3.8, and type 33.
_SAID = b"RFB 003.008\n\x01\x21"
#: What asyncvnc answers first, and our core has answered already.
_ANSWERED = b"RFB 003.008\n"
#: Bytes of one thing that the server says: a key, a name, a reason.
_LIMIT = 4096


class Loan(Held):
    """A connection while asyncvnc has it; its reader and its writer at once."""

    LIMIT = 4 * _LIMIT

    def __init__(self, link: Absent, transport: asyncio.Transport) -> None:
        super().__init__(link, transport)
        self.rest += _SAID
        self._skip = len(_ANSWERED)
        self._ended = False
        self._arrived = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        """Keep what the server says, and wake who waits for it."""
        super().data_received(data)
        self._arrived.set()

    def eof_received(self) -> None:
        """Note the end."""
        self._ended = True
        self._arrived.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end, and tell the link."""
        self.eof_received()
        super().connection_lost(exc)

    async def readexactly(self, count: int) -> bytes:
        """Return the next `count` bytes."""
        if count > _LIMIT:
            raise RFBError(f"{count} bytes in Apple's authentication; the limit is {_LIMIT}")
        while len(self.rest) < count:
            if self._ended:
                raise ConnectionLostError("the server hung up in Apple's authentication")
            self._arrived.clear()
            self._transport.resume_reading()
            await self._arrived.wait()
        data = bytes(self.rest[:count])
        del self.rest[:count]
        return data

    async def readline(self) -> bytes:
        """Return the next line."""
        line = b""
        while not line.endswith(b"\n"):
            line += await self.readexactly(1)
            if len(line) > _LIMIT:
                raise RFBError("a line without end in Apple's authentication")
        return line

    def write(self, data: bytes) -> None:
        """Send, but for what was sent before."""
        skipped = min(self._skip, len(data))
        self._skip -= skipped
        if data[skipped:]:
            self._transport.write(data[skipped:])


async def authenticate(
    link: Absent, transport: asyncio.Transport, username: str, password: str
) -> tuple[tuple[int, int, str], bytes]:
    """Do Apple's authentication, up to the server's ServerInit.

    Args:
        link: Told if the connection is lost; it is to be made the transport's protocol again.
        transport: The connection, right behind the server's list of security types.
        username: An account of the macOS host.
        password: Its password.

    Returns:
        The screen's width, height and name; and bytes that are the link's.

    Raises:
        AuthenticationError: The server refuses.
        RFBError: It breaks the protocol.
        ConnectionLostError: It hangs up.
        MissingDependencyError: asyncvnc is not installed.
    """
    try:
        import asyncvnc
    except ImportError as error:
        raise MissingDependencyError(
            "the server wants Apple's authentication: pip install asyncvnc"
        ) from error
    loan = Loan(link, transport)
    transport.set_protocol(loan)
    try:
        client = await asyncvnc.Client.create(loan, loan, username, password)
    except PermissionError as error:
        raise AuthenticationError(
            f"the server refuses us: {error}", remedy="check ?username= and ?password="
        ) from error
    except (ValueError, TypeError, UnicodeError, AttributeError) as error:
        raise RFBError(f"Apple's authentication fails: {error}") from error
    return (client.video.width, client.video.height, client.video.name), bytes(loan.rest)
