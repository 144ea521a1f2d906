"""Tunnels through an SSH server, whose key is checked always.

All channels through one server share one connection, since an SSH server takes few newcomers at a
time; it is closed with the last of them.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
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
    """One SSH connection, and how many need it; it is made for the first of them.

    Args:
        route: Holds the server, and what is trusted.
        jumps: Where it is taken out after the last of them.
    """

    def __init__(self, route: Route, jumps: dict[Route, Jump] | None = None) -> None:
        self.users = 0
        self._route = route
        self._jumps = {} if jumps is None else jumps
        self._connection: asyncssh.SSHClientConnection | None = None
        self._connecting = asyncio.Lock()

    async def channel(self, host: str, port: int) -> Channel:
        """Return a channel to a port that the server reaches; raises as `open_channel`."""
        remedy = "the host is named as the SSH server calls it; is the remote up?"
        with self._opening(f"{host}:{port}", remedy):
            connection = await self._connected()
            reader, writer = await connection.open_connection(host, port)
            return Channel(self, reader, writer)

    async def path(self, path: str) -> Channel:
        """Return a channel to a Unix socket on the server itself; raises as `open_channel`."""
        with self._opening(path, "is that the path of a socket there, and may our user open it?"):
            connection = await self._connected()
            reader, writer = await connection.open_unix_connection(path)
            return Channel(self, reader, writer)

    async def command(self, line: str) -> Channel:
        """Return a channel to a command that the server runs; raises as `open_channel`."""
        with self._opening(f"`{line}`", "does it let us run commands?"):
            connection = await self._connected()
            writer, reader, _ = await connection.open_session(line, encoding=None)
            return Channel(self, reader, writer)

    async def _connected(self) -> asyncssh.SSHClientConnection:
        async with self._connecting:
            if self._connection is None or self._connection.is_closed():
                self._connection = await _connect(self._route)
        return self._connection

    @contextmanager
    def _opening(self, what: str, remedy: str) -> Iterator[None]:
        """Count one user in, who leaves with the channel; or with the reason why there is none."""
        asyncssh = _asyncssh()
        server = f"the SSH server {self._route.jump}"
        try:
            with ExitStack() as undo:
                self.users += 1
                undo.callback(self.leave)
                yield
                undo.pop_all()
        except asyncssh.ChannelOpenError as error:
            raise ConnectError(
                f"{server} does not reach {what}: {error.reason}", remedy=remedy
            ) from error
        except asyncssh.HostKeyNotVerifiable as error:
            raise AuthenticationError(
                f"the key of {server} is not trusted: {error.reason}",
                remedy="if it is the right one, add it to known_hosts (ssh-keyscan), or give its "
                "fingerprint: ?hostkey=SHA256:...",
            ) from error
        except asyncssh.PermissionDenied as error:
            raise AuthenticationError(
                f"{server} refuses us: {error.reason}",
                remedy="is the user right (user@jump), and does it know our key (?identity=)?",
            ) from error
        except asyncssh.Error as error:
            raise ConnectError(f"{server} fails: {error}") from error

    def leave(self) -> None:
        """Count one user out."""
        self.users -= 1
        if not self.users:
            if self._connection is not None:
                self._connection.close()
            if self._jumps.get(self._route) is self:
                del self._jumps[self._route]

    async def close(self) -> None:
        """Close the connection, whoever needs it."""
        if self._connection is not None:
            self._connection.close()
            await self._connection.wait_closed()

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
    return await _jump(route).channel(host, port)


async def open_path(route: Route, path: str) -> Channel:
    """Open a channel to a Unix socket on the SSH server itself; see `open_channel`."""
    return await _jump(route).path(path)


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


def _jump(route: Route) -> Jump:
    """Return the connection that all of this loop share for a route."""
    _asyncssh()
    jumps = _jumps.setdefault(asyncio.get_running_loop(), {})
    return jumps.setdefault(route, Jump(route, jumps))


def _asyncssh() -> Any:
    try:
        import asyncssh
    except ImportError as error:
        raise MissingDependencyError("SSH needs a package: pip install 'auniverse[ssh]'") from error
    return asyncssh


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
