"""RFB over a WebSocket: binary frames, as noVNC and websockify have them."""

from __future__ import annotations

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, WebSocketException
from websockets.typing import Subprotocol

from auniverse.address import Remote
from auniverse.errors import ConnectError

from .tls import client_context

#: Bytes of one message; websockify sends 64 KiB at most.
MESSAGE_LIMIT = 4 << 20


class WebSocket:
    """The far end of a tunnel that is a websocket."""

    def __init__(self, websocket: ClientConnection) -> None:
        self._websocket = websocket

    async def read(self) -> bytes:
        """Return the next message, b"" at the end; empty messages say nothing."""
        try:
            while not (message := await self._websocket.recv()):
                pass
        except ConnectionClosed as error:
            if error.rcvd is not None:
                return b""
            raise ConnectionResetError(f"the websocket ended: {error}") from error
        if isinstance(message, str):
            raise ConnectionAbortedError("a websocket message of text, where pixels are binary")
        return message

    async def write(self, data: bytes) -> None:
        """Send one message."""
        try:
            await self._websocket.send(data)
        except ConnectionClosed as error:
            raise ConnectionResetError(f"the websocket ended: {error}") from error

    async def close(self) -> None:
        """Close it."""
        await self._websocket.close()


async def open_websocket(remote: Remote, port: int) -> WebSocket:
    """Connect to a server of RFB over WebSocket.

    Raises:
        ConnectError: Nobody listens there, or it is no websocket.
        ssl.SSLError: Its certificate is not trusted.
        UsageError: The file of authorities cannot be read.
    """
    tls = remote.route.scheme == "vnc+wss"
    host = f"[{remote.host}]" if ":" in remote.host else remote.host
    uri = f"{'wss' if tls else 'ws'}://{host}:{port}{remote.route.path or '/'}"
    try:
        websocket = await connect(
            uri,
            ssl=client_context(remote.route) if tls else None,
            subprotocols=[Subprotocol("binary")],
            compression=None,
            max_size=MESSAGE_LIMIT,
            open_timeout=None,  # the whole opening has a deadline already
            close_timeout=1.0,
            proxy=None,
        )
    except (InvalidHandshake, WebSocketException, EOFError) as error:
        raise ConnectError(
            f"no websocket at {remote.route.path or '/'}: {error}",
            remedy="is this the port of a websocket for VNC, and is the path right?",
        ) from error
    return WebSocket(websocket)
