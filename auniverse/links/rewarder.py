"""The link for rewards, episodes and text: one websocket."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from dataclasses import replace

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, WebSocketException

from auniverse.address import Remote
from auniverse.errors import (
    AuthenticationError,
    ConnectError,
    ConnectionLostError,
    RemoteError,
    RemoteTimeoutError,
    RewarderError,
)
from auniverse.rewarder import ClosedByServer, Connection, Event, Pong

from .tls import client_context, tls_error
from .tunnel import dial
from .wall import WallClock

#: Pings of one calibration, and seconds between two calibrations (Universe's figures).
CALIBRATION_PINGS = 10
CALIBRATION_INTERVAL = 300.0
#: A server that does not answer pings is used without knowing its clock.
PING_TIMEOUT = 2.0
MESSAGE_LIMIT = 1 << 20
#: Characters that may be read before others have their turn; a message as such counts for some.
SLICE = 64 * 1024
MESSAGE_WORK = 1024
#: Bytes that the websocket may read at once: the least message has 2, and each costs microseconds.
READ = 8 * 1024
#: Bytes of answers to websocket pings that a server may leave unread.
UNREAD_LIMIT = 1 << 20

logger = logging.getLogger(__name__)


class BoundedWebSocket(ClientConnection):
    """A websocket that costs no more at a time than it may, whatever the server sends.

    Attributes:
        heard_at: `loop.time()` when the newest bytes were read.
    """

    heard_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket, and have it read in small pieces where it lets us."""
        if hasattr(transport, "max_size"):  # asyncio's own does
            transport.max_size = READ
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Take bytes; drop a server that has its pings answered and does not read that."""
        self.heard_at = self.loop.time()
        super().data_received(data)
        if self.transport.get_write_buffer_size() > UNREAD_LIMIT:
            self.transport.abort()


class RewarderLink:
    """A rewarder connection on a websocket.

    Attributes:
        connection: The protocol core.
        fault: Why the link ended, None while it lives.
    """

    def __init__(
        self,
        remote: Remote,
        connection: Connection,
        websocket: BoundedWebSocket,
        receive: Callable[[Event], None],
        wake: Callable[[], None],
    ) -> None:
        self.remote = remote
        self.connection = connection
        self.fault: RemoteError | None = None
        self.wall = WallClock()
        self._websocket = websocket
        self._receive = receive
        self._wake = wake
        self._closing = False
        self._to_send = asyncio.Event()
        self._arrived = asyncio.Event()
        self._pongs = 0
        self._probing = False

    @property
    def described(self) -> bool:
        """Whether the server has said what it runs; before that it is not ready."""
        return self.connection.described is not None

    def flush(self) -> None:
        """Have what the core has queued sent soon."""
        self._to_send.set()

    async def run(self) -> None:
        """Read and write until the link ends; a failure is kept in `fault`, not raised."""
        try:
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(self._write())
                clock = tasks.create_task(self._keep_calibrated())
                await self._read()
                writer.cancel()
                clock.cancel()
        except* RemoteError as failed:
            self.fail(_first(failed))

    @property
    def heard_at(self) -> float:
        """`loop.time()` when the newest bytes were read."""
        return self._websocket.heard_at

    def probe(self) -> None:
        """Ask for something that the server answers at once: our ping, or the websocket's."""
        if self._pongs:
            self.connection.send_ping(self.wall())
        else:
            self._probing = True
        self.flush()

    async def calibrate(self) -> None:
        """Measure the remote's clock by sequential pings, if it answers them."""
        for _ in range(CALIBRATION_PINGS):
            before = self._pongs
            self.connection.send_ping(self.wall())
            self.flush()
            try:
                async with asyncio.timeout(PING_TIMEOUT):
                    while self._pongs == before and self.fault is None:
                        self._arrived.clear()
                        await self._arrived.wait()
            except TimeoutError:
                logger.info("%s: the rewarder answers no pings; its clock is unknown", self.remote)
                return

    async def wait_described(self) -> None:
        """Wait for the first describe, which every server sends at once; or for the fault."""
        while not self.described and self.fault is None:
            self._arrived.clear()
            await self._arrived.wait()

    async def close(self) -> None:
        """Close the websocket; idempotent. `run` ends by it."""
        self._closing = True
        if self.fault is not None:  # whoever is gone or silent answers no good-bye
            self.abort()
        await self._websocket.close()

    def abort(self) -> None:
        """Drop the connection at once."""
        self._closing = True
        self._websocket.transport.abort()

    async def _read(self) -> None:
        work = 0
        try:
            async for message in self._websocket:
                if not isinstance(message, str):
                    raise RewarderError("a binary websocket message")
                self.connection.receive_text(message, self.wall())
                for event in self.connection.events():
                    if isinstance(event, ClosedByServer):
                        raise _closed_by_server(event.message)
                    self._pongs += isinstance(event, Pong)
                    self._receive(event)
                self._arrived.set()
                self._wake()
                work += len(message) + MESSAGE_WORK
                if work >= SLICE:  # what is queued already would be read without a pause
                    work = 0
                    await asyncio.sleep(0)
        except ConnectionClosed as error:
            self._lost(f"the rewarder connection was lost: {error}", error)
        else:
            self._lost("the rewarder closed the connection", None)

    def _lost(self, reason: str, error: Exception | None) -> None:
        if not self._closing:
            raise ConnectionLostError(reason) from error

    async def _write(self) -> None:
        while True:
            await self._to_send.wait()
            self._to_send.clear()
            try:
                if self._probing:
                    self._probing = False
                    await self._websocket.ping()
                for text in self.connection.data_to_send():
                    await self._websocket.send(text)
            except ConnectionClosed:
                return  # the reader sees it too, and knows the reason

    async def _keep_calibrated(self) -> None:
        while True:
            await asyncio.sleep(CALIBRATION_INTERVAL)
            await self.calibrate()

    def fail(self, error: RemoteError) -> None:
        """Give the link up because of `error`, unless it was given up or closed before."""
        error.remote = error.remote or str(self.remote)
        if self.fault is None and not self._closing:
            self.fault = error.without_frames()
        self._arrived.set()
        self._wake()


def _first(group: BaseExceptionGroup[RemoteError]) -> RemoteError:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error


def _closed_by_server(message: str) -> RemoteError:
    lowered = message.lower()
    if any(word in lowered for word in ("password", "auth", "credential")):
        return AuthenticationError(
            f"the rewarder refused us: {message}", remedy="check the password of the address"
        )
    return ConnectionLostError(f"the rewarder closed the connection: {message}")


async def open_rewarder(
    remote: Remote,
    *,
    timeout: float = 10.0,
    observer: bool = False,
    receive: Callable[[Event], None] = lambda event: None,
    wake: Callable[[], None] = lambda: None,
) -> RewarderLink:
    """Connect to a remote's reward channel. The caller then runs `link.run()` in its task group.

    Args:
        remote: Where; it must have a `rewarder_port`.
        timeout: Seconds for the TCP connection and the websocket upgrade.
        observer: Watch only: others may act at the same time.
        receive: Called, on the loop, with every event.
        wake: Called after each message, and when the link failed.

    Raises:
        ConnectError: Nobody listens there, or it is no rewarder, or it is still booting.
        AuthenticationError: It is not trusted.
        RemoteTimeoutError: It did not upgrade in time.
    """
    where = replace(remote, vnc_port=None)
    assert remote.rewarder_port is not None
    tls = remote.route.rewarder_over_tls
    connection = Connection(password=remote.rewarder_password, observer=observer)
    host = f"[{remote.host}]" if ":" in remote.host else remote.host
    try:
        async with asyncio.timeout(timeout):
            way = await dial(remote, remote.rewarder_port, screen=False)
            websocket = await connect(
                f"{'wss' if tls else 'ws'}://{host}:{remote.rewarder_port}/",
                ssl=client_context(remote.route) if tls else None,
                additional_headers=connection.upgrade_headers(),
                create_connection=BoundedWebSocket,
                open_timeout=timeout,
                close_timeout=1.0,
                max_size=MESSAGE_LIMIT,
                compression=None,
                ping_interval=None,  # whoever stands still on purpose answers none
                proxy=None,
                sock=way.get("sock"),
            )
    except TimeoutError as error:
        raise RemoteTimeoutError(
            f"the rewarder did not answer within {timeout:g} s",
            remote=str(where),
            remedy="is the second port the one of its rewarder?",
        ) from error
    except ssl.SSLError as error:
        raise tls_error(error, str(where)) from error
    except (OSError, InvalidHandshake, WebSocketException, EOFError) as error:
        raise ConnectError(
            f"cannot connect to the rewarder: {error}",
            remote=str(where),
            remedy="is the remote up, and is the second port the one of its rewarder?",
        ) from error
    assert isinstance(websocket, BoundedWebSocket)
    return RewarderLink(where, connection, websocket, receive, wake)
