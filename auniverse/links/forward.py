"""Ports and sockets behind an SSH server, as sockets here, for those who know no tunnels.

A forward listens here and opens one channel for each that comes; all of them share the route's one
connection (`ssh.py`). Who is already connected stays so for as long as the forward is open.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from auniverse.address import Route
from auniverse.errors import AuniverseError, ConnectError

from .ssh import Channel, open_channel, open_path
from .tunnel import CHUNK, carry

_log = logging.getLogger(__name__)


@asynccontextmanager
async def forward_port(route: Route, host: str, port: int) -> AsyncIterator[int]:
    """Give a port on this machine's loopback that is `port` of `host`, as the SSH server calls it.

    Raises:
        AuniverseError: It is not reached; see `ssh.open_channel`.
    """
    forward = _Forward(route, lambda: open_channel(route, host, port))
    await forward.check()
    server = await asyncio.start_server(forward.carry, "127.0.0.1", 0, limit=CHUNK)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        await forward.close(server)


@asynccontextmanager
async def forward_path(route: Route, path: str) -> AsyncIterator[str]:
    """Give the path of a socket that is the one at `path` on the SSH server; only we can open it.

    Raises:
        AuniverseError: It is not reached; see `ssh.open_channel`.
    """
    forward = _Forward(route, lambda: open_path(route, path))
    await forward.check()
    with tempfile.TemporaryDirectory(prefix="auniverse-") as folder:  # for this user alone
        here = str(Path(folder) / "socket")
        server = await asyncio.start_unix_server(forward.carry, here, limit=CHUNK)
        try:
            yield here
        finally:
            await forward.close(server)


class _Forward:
    """Carries what comes to a listening socket through channels.

    Args:
        route: To the SSH server.
        opening: Opens one.
    """

    def __init__(self, route: Route, opening: Callable[[], Awaitable[Channel]]) -> None:
        self._route = route
        self._opening = opening
        self._first: Channel | None = None
        self._carrying: set[asyncio.Task[None]] = set()

    async def check(self) -> None:
        """Open the first channel before anybody comes, so that errors are ours to hear."""
        self._first = await self._opened()

    async def _opened(self) -> Channel:
        try:
            return await self._opening()
        except OSError as error:
            raise ConnectError(
                f"the SSH server {self._route.jump} does not answer: {error}",
                remedy="is it up, and does it let this machine in?",
            ) from error

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until one of its ends is gone."""
        task = asyncio.current_task()
        assert task is not None
        self._carrying.add(task)
        try:
            far, self._first = self._first or await self._opened(), None
            await carry(far, reader, writer)
        except AuniverseError as error:  # who came sees the connection end
            _log.warning("a forward failed: %s", error)
            writer.close()
        except asyncio.CancelledError:
            pass  # by `close`; and streams complain of tasks that ended so (Python 3.11)
        finally:
            self._carrying.discard(task)

    async def close(self, server: asyncio.Server) -> None:
        """End what listens, and all that it carries."""
        server.close()
        carrying = list(self._carrying)
        for task in carrying:
            task.cancel()
        await asyncio.gather(*carrying, return_exceptions=True)
        if self._first is not None:
            await self._first.close()
