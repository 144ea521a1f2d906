"""Tunnels through an SSH server, whose key is checked always.

All channels through one server share one connection, since an SSH server takes few newcomers at a
time; it is closed with the last of them.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakKeyDictionary

from auniverse.address import Route
from auniverse.errors import (
    AuthenticationError,
    ConnectError,
    MissingDependencyError,
    UsageError,
)

from .tunnel import CHUNK

if TYPE_CHECKING:
    import asyncssh

#: Opens something through a connection: what comes from there, and where it goes.
Open: TypeAlias = (
    "Callable[[asyncssh.SSHClientConnection], "
    "Awaitable[tuple[asyncssh.SSHReader[bytes], asyncssh.SSHWriter[bytes]]]]"
)

#: Seconds between two questions whether the server is still there; after three it is not.
KEEPALIVE = 15


class Channel:
    """The far end of a tunnel that is an SSH channel."""

    def __init__(
        self,
        jump: Jump,
        reader: asyncssh.SSHReader[bytes],
        writer: asyncssh.SSHWriter[bytes],
    ) -> None:
        self._jump = jump
        self._reader = reader
        self._writer = writer

    async def read(self) -> bytes:
        """Return what has come, b"" at the end."""
        with self._jump.errors():
            return await self._reader.read(CHUNK)

    async def write(self, data: bytes) -> None:
        """Send."""
        with self._jump.errors():
            self._writer.write(data)
            await self._writer.drain()

    async def close(self) -> None:
        """Close it; the connection too, if nobody else needs it."""
        self._writer.close()
        self._jump.leave()


class Jump:
    """One SSH connection, and how many need it."""

    def __init__(self, route: Route, jumps: dict[Route, Jump]) -> None:
        self.users = 0
        self._route = route
        self._jumps = jumps
        self._connection: asyncssh.SSHClientConnection | None = None
        self._connecting = asyncio.Lock()

    async def channel(self, opened: Open) -> Channel:
        """Return a channel through the connection; `leave` comes with its closing."""
        async with self._connecting:
            if self._connection is None or self._connection.is_closed():
                self._connection = await _connect(self._route)
        reader, writer = await opened(self._connection)
        return Channel(self, reader, writer)

    def leave(self) -> None:
        """Count one user out."""
        self.users -= 1
        if not self.users:
            if self._connection is not None:
                self._connection.close()
            if self._jumps.get(self._route) is self:
                del self._jumps[self._route]

    @staticmethod
    @contextmanager
    def errors() -> Iterator[None]:
        """Turn asyncssh's errors on an open channel into ConnectionError."""
        import asyncssh

        try:
            yield
        except (asyncssh.Error, asyncssh.BreakReceived, asyncssh.SignalReceived) as error:
            raise ConnectionResetError(f"the SSH channel ended: {error}") from error


#: By loop, since a connection belongs to one; by route, since another trust is another connection.
_jumps: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Route, Jump]] = WeakKeyDictionary()


async def open_channel(route: Route, host: str, port: int) -> Channel:
    """Open a channel through the SSH server of a route.

    Args:
        route: Holds the server, and what is trusted.
        host: Where the server is to connect to, as it calls it.
        port: The port there.

    Raises:
        AuthenticationError: The server's key is unknown or another one, or it refuses ours.
        ConnectError: It does not answer, or does not reach `host`.
        UsageError: A file that the route names cannot be read.
        MissingDependencyError: asyncssh is not installed.
    """
    return await _open(
        route, f"{host}:{port}", lambda connection: connection.open_connection(host, port)
    )


async def open_path(route: Route, path: str) -> Channel:
    """Open a channel to a Unix socket on the SSH server itself; see `open_channel`."""
    return await _open(route, path, lambda connection: connection.open_unix_connection(path))


async def fetch_host_key(host: str, port: int) -> str:
    """Return the fingerprint of the key that an SSH server shows, "SHA256:...", unchecked.

    Raises:
        ConnectError: It does not answer.
        MissingDependencyError: asyncssh is not installed.
    """
    asyncssh = _asyncssh()
    try:
        key = await asyncssh.get_server_host_key(host, port)
    except (asyncssh.Error, OSError) as error:
        raise ConnectError(f"the SSH server {host}:{port} does not answer: {error}") from error
    assert key is not None  # it has to show one
    return str(key.get_fingerprint("sha256"))


def _asyncssh() -> Any:
    try:
        import asyncssh
    except ImportError as error:
        raise MissingDependencyError("SSH needs a package: pip install 'auniverse[ssh]'") from error
    return asyncssh


async def _open(route: Route, what: str, opened: Open) -> Channel:
    asyncssh = _asyncssh()
    jumps = _jumps.setdefault(asyncio.get_running_loop(), {})
    jump = jumps.setdefault(route, Jump(route, jumps))
    jump.users += 1
    try:
        return await jump.channel(opened)
    except asyncssh.ChannelOpenError as error:
        jump.leave()
        raise ConnectError(
            f"the SSH server {route.jump} does not reach {what}: {error.reason}",
            remedy="the host is named as the SSH server calls it; is the remote up?",
        ) from error
    except asyncssh.HostKeyNotVerifiable as error:
        jump.leave()
        raise AuthenticationError(
            f"the key of the SSH server {route.jump} is not trusted: {error.reason}",
            remedy="if it is the right one, add it to known_hosts (ssh-keyscan), or give its "
            "fingerprint: ?hostkey=SHA256:...",
        ) from error
    except asyncssh.PermissionDenied as error:
        jump.leave()
        raise AuthenticationError(
            f"the SSH server {route.jump} refuses us: {error.reason}",
            remedy="is the user right (user@jump), and does it know our key (?identity=)?",
        ) from error
    except asyncssh.Error as error:
        jump.leave()
        raise ConnectError(f"the SSH server {route.jump} fails: {error}") from error
    except BaseException:
        jump.leave()
        raise


async def _connect(route: Route) -> asyncssh.SSHClientConnection:
    import asyncssh

    class Pinning(asyncssh.SSHClient):
        def validate_host_public_key(
            self, host: str, addr: str, port: int, key: asyncssh.SSHKey
        ) -> bool:
            return bool(route.hostkey) and hmac.compare_digest(
                key.get_fingerprint("sha256"), route.hostkey
            )

    options: dict[str, Any] = {}
    if route.hostkey:
        # Nobody else's word counts, and the kinds of keys are not taken from known hosts.
        options = {"known_hosts": lambda *where: ([], [], []), "server_host_key_algs": "default"}
    elif route.known_hosts:
        options["known_hosts"] = _readable("known_hosts", route.known_hosts)
    if route.identity:
        options["client_keys"] = [_readable("identity", route.identity)]
    if route.user:
        options["username"] = route.user
    host, _, port = route.jump.rpartition(":")
    try:
        return await asyncssh.connect(
            host.strip("[]"),
            int(port),
            client_factory=Pinning,
            keepalive_interval=KEEPALIVE,
            login_timeout=None,  # the whole opening has a deadline already
            **options,
        )
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        raise UsageError(f"identity={route.identity}: {error}") from error


def _readable(word: str, path: str) -> str:
    """Return the path of a file that can be read, which asyncssh does not always say."""
    file = Path(path).expanduser()
    try:
        file.open("rb").close()
    except OSError as error:
        raise UsageError(f"{word}={path}: {error.strerror}") from error
    return str(file)
