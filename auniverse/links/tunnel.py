"""Ways to a remote that are no plain TCP, made to look like one.

A tunnel is one end of a pair of sockets; what carries the bytes on (a websocket, an SSH channel)
sits at the other end and lives as long as they do. So links know sockets only, and TLS, deadlines
and back-pressure are those of a socket everywhere. Nobody else on this machine can enter it.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from auniverse.address import Remote
from auniverse.errors import RemoteError

CHUNK = 1 << 16

#: TCP's own watch on a peer that vanished without a word, where the system has it: asked after 15
#: idle seconds, every 5, given up after three, or when ours was not taken for 30 (in ms).
KEEPALIVE = {
    "TCP_KEEPIDLE": 15,
    "TCP_KEEPINTVL": 5,
    "TCP_KEEPCNT": 3,
    "TCP_USER_TIMEOUT": 30_000,
}

_log = logging.getLogger(__name__)
_carrying: set[asyncio.Task[None]] = set()  # the loop itself holds its tasks weakly


class Far(Protocol):
    """The far end of a tunnel. Both verbs raise ConnectionError when it breaks."""

    async def read(self) -> bytes:
        """Return what has come, b"" at the end."""

    async def write(self, data: bytes) -> None:
        """Send, waiting while the far end does not keep up."""

    async def close(self) -> None:
        """Close it, in a bounded time."""


async def dial(remote: Remote, port: int, *, screen: bool) -> dict[str, Any]:
    """Return what `create_connection` needs to reach a port of a remote.

    Args:
        remote: Its route says how.
        port: One of its ports.
        screen: Whether it is the screen's, which alone may be behind a websocket.

    Raises:
        RemoteError: The tunnel cannot be opened.
        UsageError: A file that the route names cannot be read.
        MissingDependencyError: The package for it is not installed.
    """
    try:
        if remote.route.scheme == "vnc+ssh":
            from .ssh import open_channel

            return {"sock": await carried(await open_channel(remote.route, remote.host, port))}
        if screen and remote.route.scheme in ("vnc+ws", "vnc+wss"):
            from .websocket import open_websocket

            return {"sock": await carried(await open_websocket(remote, port))}
    except RemoteError as error:
        error.remote = error.remote or str(remote)
        raise
    return {"host": remote.host, "port": port}


def keep_alive(transport: asyncio.BaseTransport) -> None:
    """Have the kernel end a connection whose far side is gone, though nobody said so."""
    sock: socket.socket | None = transport.get_extra_info("socket")
    if sock is None or sock.family == socket.AF_UNIX:  # the inside of a tunnel
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE.items():
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


async def carried(far: Far) -> socket.socket:
    """Return a socket whose bytes are `far`'s."""
    near, inner = socket.socketpair()
    try:
        near.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=inner, limit=CHUNK)
    except BaseException:
        near.close()
        inner.close()
        await far.close()
        raise
    task = asyncio.create_task(carry(far, reader, writer))
    _carrying.add(task)
    task.add_done_callback(_carrying.discard)
    return near


async def carry(far: Far, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry both ways until one end is gone, then close the other."""

    async def write(data: bytes) -> None:
        writer.write(data)
        await writer.drain()

    ways = [
        asyncio.create_task(_pour(lambda: reader.read(CHUNK), far.write)),
        asyncio.create_task(_pour(far.read, write)),
    ]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        writer.close()
        await asyncio.gather(*ways, return_exceptions=True)
        await far.close()


async def _pour(read: Callable[[], Awaitable[bytes]], write: Callable[[bytes], Any]) -> None:
    try:
        while data := await read():
            await write(data)
    except ConnectionError as error:  # the link sees its socket end, and is the one to tell
        _log.info("a tunnel broke: %s", error)
