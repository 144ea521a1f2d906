"""The link for pixels and input: one RFB connection over TCP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from auniverse.address import Remote
from auniverse.errors import ConnectError, ConnectionLostError, RemoteError, RemoteTimeoutError
from auniverse.rfb import (
    DEFAULT_ENCODINGS,
    Allocate,
    Box,
    Connection,
    Damage,
    Frame,
    KeyEvent,
    Opened,
    PointerEvent,
    Resized,
    Updated,
    allocate_zeros,
)

#: Input that a remote has not read. Above this it counts as stuck: a screen that takes no keys is
#: no environment, and its queue must not grow.
UNREAD_INPUT_LIMIT = 1 << 20

#: Work that one callback may do, in pixels painted; then it is the turn of the other sessions.
SLICE = 256 * 1024


class SeenDamage(Damage):
    """Damage that can also tell when every pixel has been sent anew."""

    def __init__(self) -> None:
        super().__init__()
        self._unseen: NDArray[np.uint8] | None = None  # a bit for each pixel, rows of bytes

    def watch(self, width: int, height: int) -> None:
        """Begin to note which pixels arrive."""
        self._unseen = np.tile(np.packbits(np.ones(width, np.bool_)), (height, 1))

    @property
    def complete(self) -> bool:
        """Whether every pixel has arrived since `watch`; true if nobody watches."""
        if self._unseen is not None and not self._unseen.any():
            self._unseen = None
        return self._unseen is None

    def add(self, box: Box) -> None:
        """Note that `box` changed."""
        super().add(box)
        if self._unseen is not None:
            x, y, width, height = box
            first, end = x >> 3, (x + width + 7) >> 3
            keep = np.ones(8 * (end - first), np.bool_)
            keep[x - 8 * first :][:width] = False
            self._unseen[y : y + height, first:end] &= np.packbits(keep)


class VNCLink(asyncio.BufferedProtocol):
    """An RFB connection on a socket, always with one request armed.

    Attributes:
        connection: The protocol core.
        damage: What changed on the screen since the session last took it.
        fault: Why the link ended, None while it lives.
        updated_at: `loop.time()` of the newest update, 0.0 before the first.
    """

    def __init__(self, remote: Remote, connection: Connection, wake: Callable[[], None]) -> None:
        self.remote = remote
        self.connection = connection
        self.damage = SeenDamage()
        self.fault: RemoteError | None = None
        self.updated_at = 0.0
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._closing = False
        self._behind = False  # more has arrived than one callback may read
        self.opened: asyncio.Future[None] = self._loop.create_future()
        self._lost: asyncio.Future[None] = self._loop.create_future()

    # -- asyncio's side ------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket; the server speaks first."""
        self._transport = cast(asyncio.Transport, transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Give the core's own memory to the socket."""
        return self.connection.get_buffer(sizehint)

    def buffer_updated(self, nbytes: int) -> None:
        """Let the core decode what arrived, answer it, and wake the session."""
        self._read(lambda: self.connection.buffer_updated(nbytes, SLICE))

    def _read(self, take: Callable[[], None]) -> None:
        """Read a slice of what has arrived; while some is left, no more is taken in."""
        try:
            take()
        except RemoteError as error:
            self._fail(error)
            return
        updated = resized = False
        for event in self.connection.events():
            if isinstance(event, Opened):
                resized = True
                if not self.opened.done():
                    self.opened.set_result(None)
            updated |= isinstance(event, Updated)
            resized |= isinstance(event, Resized)
        if resized:
            self._adopt_screen()
        if updated:
            self.updated_at = self._loop.time()
        if updated or resized:
            # One request is enough to keep one armed, however many updates a slice had: a server
            # must not be able to make us talk.
            self.connection.request_update(incremental=not resized)
        self._flush()
        self._wake()
        self._pause(self.connection.pending)

    def _pause(self, pending: bool) -> None:
        """Read on in a later callback, the others' turn in between, or let more come in."""
        if self._transport is None or self._transport.is_closing():
            return
        if pending:
            self._loop.call_soon(self._go_on)
        if pending != self._behind:
            self._behind = pending
            if pending:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def _go_on(self) -> None:
        if not self._closing and self.fault is None:
            self._read(lambda: self.connection.go_on(SLICE))

    def eof_received(self) -> None:
        """The server closed its end: say where that broke the protocol off."""
        if self._closing:
            return
        try:
            self.connection.receive_eof()
        except RemoteError as error:
            self._fail(error)

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        if not self._closing and self.fault is None:
            reason = f"the VNC connection was lost: {exc or 'closed by the server'}"
            self._fail(ConnectionLostError(reason))
        if not self._lost.done():
            self._lost.set_result(None)

    # -- the session's side --------------------------------------------------------------------

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the screen in pixels."""
        framebuffer = self.connection.framebuffer
        assert framebuffer is not None
        return framebuffer.width, framebuffer.height

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """The live screen, uint8 (height, width, 4) RGBX; it changes whenever the loop runs."""
        framebuffer = self.connection.framebuffer
        assert framebuffer is not None
        return framebuffer.pixels

    @property
    def frame(self) -> Frame | None:
        """The newest frame the host has told us about, None from other servers."""
        return self.connection.frame

    @property
    def refreshed(self) -> bool:
        """Whether every pixel was sent anew since `refresh`, or since the link opened."""
        return self.damage.complete

    def refresh(self) -> None:
        """Ask for the whole screen, for servers that do not number their frames."""
        self.damage.watch(*self.size)
        self.connection.request_update(incremental=False)
        self._flush()

    def act(self, events: Iterable[KeyEvent | PointerEvent]) -> int:
        """Send input in order, in one write; return how many events that were."""
        count = 0
        for event in events:
            if isinstance(event, KeyEvent):
                self.connection.send_key(event.keysym, event.down)
            else:
                self.connection.send_pointer(event.x, event.y, event.buttons)
            count += 1
        self._flush()
        return count

    async def close(self) -> None:
        """Send what is queued and close; idempotent."""
        self._closing = True
        if self._transport is None:
            return
        self._transport.close()
        try:
            async with asyncio.timeout(1.0):
                await asyncio.shield(self._lost)
        except TimeoutError:
            self._transport.abort()

    def abort(self) -> None:
        """Drop the connection at once."""
        self._closing = True
        if self._transport is not None:
            self._transport.abort()

    # -- inside --------------------------------------------------------------------------------

    def _adopt_screen(self) -> None:
        framebuffer = self.connection.framebuffer
        assert framebuffer is not None
        for box in framebuffer.damage.take():
            self.damage.add(box)
        framebuffer.damage = self.damage
        self.damage.watch(framebuffer.width, framebuffer.height)

    def _flush(self) -> None:
        data = self.connection.data_to_send()
        if not data or self._transport is None or self._transport.is_closing():
            return
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > UNREAD_INPUT_LIMIT:
            self._fail(ConnectionLostError("the VNC server no longer reads its input"))

    def _fail(self, error: RemoteError) -> None:
        if self.fault is None:
            error.remote = error.remote or str(self.remote)
            self.fault = error
        if not self.opened.done():
            self.opened.set_exception(self.fault)
        self.abort()
        self._wake()


async def open_vnc(
    remote: Remote,
    *,
    timeout: float = 10.0,
    encodings: Sequence[int] | None = None,
    allocate: Allocate = allocate_zeros,
    wake: Callable[[], None] = lambda: None,
) -> VNCLink:
    """Connect to a remote's screen and shake hands.

    Args:
        remote: Where; it must have a `vnc_port`.
        timeout: Seconds for the whole opening.
        encodings: What to ask the server for, preferred first; None = the core's default.
        allocate: Gives the memory for the screen.
        wake: Called, on the loop, whenever something arrived or the link failed.

    Raises:
        ConnectError: Nobody listens there, or what answers is no VNC server.
        AuthenticationError: It refuses the password.
        RemoteTimeoutError: It did not finish the handshake in time.
        ProtocolError: It broke the protocol.
    """
    where = replace(remote, rewarder_port=None)
    assert remote.vnc_port is not None
    connection = Connection(
        password=remote.vnc_password,
        encodings=DEFAULT_ENCODINGS if encodings is None else encodings,
        allocate=allocate,
    )
    link = VNCLink(where, connection, wake)
    try:
        async with asyncio.timeout(timeout):
            loop = asyncio.get_running_loop()
            await loop.create_connection(lambda: link, remote.host, remote.vnc_port)
            await link.opened
    except TimeoutError as error:
        link.abort()
        stage = "the VNC handshake" if link._transport else "the TCP connection"
        raise RemoteTimeoutError(
            f"{stage} did not finish within {timeout:g} s",
            remote=str(where),
            remedy="is this the port of a VNC server, and is it reachable?",
        ) from error
    except OSError as error:
        raise ConnectError(
            f"cannot connect: {error.strerror or error}",
            remote=str(where),
            remedy="is the remote up, and is the first port the one of its VNC server?",
        ) from error
    except BaseException:
        link.abort()
        raise
    return link
