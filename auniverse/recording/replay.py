"""Playing a recording: to a decoder, or to whoever connects."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from auniverse.address import Remote
from auniverse.errors import RemoteError
from auniverse.rfb import Connection, Decoder, SecurityType, greet

from .fbs import Recording

#: What a server says before the ServerInit to a client that it lets in without a password:
#: version 3.8, one security type, and that all is well (RFC 6143 §7.1).
GREETING = b"RFB 003.008\n" + bytes([1, SecurityType.NONE]) + bytes(4)

_UPDATE_REQUEST = 3
_CONTINUOUS = 150  # EnableContinuousUpdates
#: Client messages by type: bytes of the head; where in it a count is, how long that is, and the
#: bytes that each counted thing has (RFC 6143 §7.5; the community's description of the others).
_MESSAGES: dict[int, tuple[int, int, int, int]] = {
    0: (20, 0, 0, 0),  # SetPixelFormat
    2: (4, 2, 2, 4),  # SetEncodings
    _UPDATE_REQUEST: (10, 0, 0, 0),
    4: (8, 0, 0, 0),  # KeyEvent
    5: (6, 0, 0, 0),  # PointerEvent
    6: (8, 4, 4, 1),  # ClientCutText
    _CONTINUOUS: (10, 0, 0, 0),
    248: (9, 8, 1, 1),  # ClientFence
    251: (8, 6, 1, 16),  # SetDesktopSize
}
#: What a message of a client may have after its head, in bytes.
_LONGEST = 1 << 20


def viewer(recording: Recording, *, decoder: type[Decoder] = Decoder, **options: Any) -> Connection:
    """Return a connection that has been greeted and waits for the recording's data.

    Args:
        recording: What will be played to it.
        decoder: The decoder's class.
        options: See `Connection`.

    Raises:
        UsageError: The decoder lacks an encoding that the recording's server was offered.
    """
    connection = Connection(
        security=(SecurityType.NONE,),
        encodings=recording.header.encodings,
        decoder=decoder,
        **options,
    )
    connection.receive_data(GREETING)
    return connection


def play(
    recording: Recording,
    *,
    decoder: type[Decoder] = Decoder,
    watch: Callable[[Connection], object] = lambda connection: None,
    **options: Any,
) -> Connection:
    """Decode a whole recording from memory; return the connection with its last picture.

    Args:
        recording: What to play.
        decoder: The decoder's class.
        watch: Called after each of the recording's chunks.
        options: See `Connection`.

    Raises:
        UsageError: The decoder lacks an encoding that the recording's server was offered.
        RFBError: What the server sent breaks the protocol.
    """
    connection = viewer(recording, decoder=decoder, **options)
    for data, _ in recording.chunks:
        connection.receive_data(data)
        connection.events()
        connection.data_to_send()
        watch(connection)
    return connection


def rounds(recording: Recording, *, decoder: type[Decoder] = Decoder) -> list[bytes]:
    """Cut a recording where one request of the client's was answered.

    The first piece is the ServerInit. Each of the others ends where an update has, so they hold an
    update each, or more where the server sent more at once; what follows the last update is left
    out. It takes a whole decoding, so do it before anything is measured.

    Raises:
        UsageError: The decoder lacks an encoding that the recording's server was offered.
        RFBError: What the server sent breaks the protocol.
    """
    data = recording.data
    length = 24 + int.from_bytes(data[20:24], "big")
    pieces, piece, seen = [data[:length]], bytearray(), 0
    connection = viewer(recording, decoder=decoder)
    connection.receive_data(data[:length])
    skip = length
    for chunk, _ in recording.chunks:
        fresh = chunk[skip:]
        skip -= len(chunk) - len(fresh)
        connection.receive_data(fresh)
        connection.events()
        piece += fresh
        if connection.updates > seen:
            seen = connection.updates
            pieces.append(bytes(piece))
            piece.clear()
    return pieces


class Replayer:
    """A VNC server on loopback that sends recorded pieces, one for each update request.

    Every client gets all of it from the start, and its connection is closed after the last piece.
    What clients say besides requests is read and has no effect.

    Args:
        pieces: See `rounds`; or any pieces whose first is a ServerInit.
        port: 0 takes a free one.
    """

    def __init__(self, pieces: list[bytes], *, port: int = 0) -> None:
        self._pieces = pieces
        self._port = port
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    @property
    def remote(self) -> Remote:
        """Where it is."""
        return Remote("127.0.0.1", self._port, None, vnc_password=None)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        for client in self._clients:
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            await self._greet(reader, writer)
            continuous = False
            for piece in self._pieces[1:]:
                asked = continuous
                while not asked:
                    message = await self._message(reader)
                    continuous = message[0] == _CONTINUOUS and bool(message[1])
                    asked = continuous or message[0] == _UPDATE_REQUEST
                writer.write(piece)
                await writer.drain()
            # Closed with a request unread, the connection would lose what is still on its way.
            writer.write_eof()
            while await reader.read(_LONGEST):
                pass
        except (OSError, EOFError, RemoteError):
            pass  # the client left, or is none: nothing to do for it, and the others go on
        finally:
            self._clients.discard(task)
            writer.close()

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        steps = greet(writer.write, None, bytes(16))
        needed = next(steps)
        try:
            while True:
                needed = steps.send(await reader.readexactly(needed))
        except StopIteration:
            await reader.readexactly(1)  # ClientInit
        writer.write(self._pieces[0])

    async def _message(self, reader: asyncio.StreamReader) -> bytes:
        """Read one message of the client's; return its head."""
        kind = (await reader.readexactly(1))[0]
        head, at, width, size = _MESSAGES.get(kind, (0, 0, 0, 0))
        if not head:
            raise EOFError(f"a message of type {kind}")
        data = bytes([kind]) + await reader.readexactly(head - 1)
        rest = int.from_bytes(data[at : at + width], "big") * size
        if rest > _LONGEST:
            raise EOFError(f"a message of {rest} bytes")
        await reader.readexactly(rest)
        return data
