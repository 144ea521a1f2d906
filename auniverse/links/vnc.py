"""The link for pixels and input: one RFB connection over TCP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import cast

import numpy as np
from numpy.typing import NDArray

from auniverse.address import Remote
from auniverse.errors import ConnectionLostError, RemoteError
from auniverse.rfb import (
    Box,
    Connection,
    ContinuousUpdatesEnded,
    ContinuousUpdatesOffered,
    Event,
    FenceReplied,
    Frame,
    KeyEvent,
    Opened,
    PointerEvent,
    Resized,
    Updated,
)

from .damage import SeenDamage
from .progress import Progress

#: Input that a remote has not read. Above this it counts as stuck: a screen that takes no keys is
#: no environment, and its queue must not grow.
UNREAD_INPUT_LIMIT = 1 << 20
#: Work that one callback may do, in pixels painted; then it is the turn of the other sessions.
SLICE = 256 * 1024


class Wants(IntEnum):
    """What to ask a server for next."""

    NOTHING = 0
    NEWS = 1
    EVERYTHING = 2


class VNCLink(asyncio.BufferedProtocol):
    """An RFB connection on a socket, always with one request armed or with continuous updates.

    Attributes:
        connection: The protocol core.
        damage: What changed on the screen since the session last took it.
        fault: Why the link ended, None while it lives.
        updated_at: `loop.time()` of the newest update, 0.0 before the first.
        inputs_sent: Key and pointer events sent.
        inputs_read: How many of them the server has confirmed to have read, by a fence.
        inputs_read_at: `loop.time()` when the newest confirmation came, 0.0 before the first.
    """

    def __init__(self, remote: Remote, connection: Connection, wake: Callable[[], None]) -> None:
        self.remote = remote
        self.connection = connection
        self.damage = SeenDamage()
        self.fault: RemoteError | None = None
        self.updated_at = 0.0
        self.inputs_sent = 0
        self.inputs_read = 0
        self.inputs_read_at = 0.0
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._progress = Progress(connection, self._loop.time())
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
            self.fail(error)
            return
        wants = Wants.NOTHING
        for event in self.connection.events():
            wants = max(wants, self._heed(event))
        self._ask(wants)
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
            self.fail(error)

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        if not self._closing and self.fault is None:
            reason = f"the VNC connection was lost: {exc or 'closed by the server'}"
            self.fail(ConnectionLostError(reason))
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
        """Send input in order, in one write; return how many events that were.

        A server that knows fences and does not number its frames is asked to tell when it has read
        them: see `inputs_read`.
        """
        count = 0
        for event in events:
            if isinstance(event, KeyEvent):
                self.connection.send_key(event.keysym, event.down)
            else:
                self.connection.send_pointer(event.x, event.y, event.buttons)
            count += 1
        self.inputs_sent += count
        if count and self.connection.fences and self.frame is None:
            self.connection.send_fence(self.inputs_sent.to_bytes(8, "big"))
        self._flush()
        return count

    @property
    def heard_at(self) -> float:
        """`loop.time()` when the server was last found to get on with what it says."""
        return self._progress.heard_at(self._loop.time())

    def probe(self) -> None:
        """Ask for something that every server answers at once, however still its screen stands.

        That is a fence. A server that knows none is asked for one pixel, changed or not; the pixel
        counts as an update then.
        """
        if self.connection.fences:
            self.connection.send_fence()
        elif self.connection.framebuffer is not None:
            self.connection.request_update(incremental=False, box=Box(0, 0, 1, 1))
        self._flush()

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

    def _heed(self, event: Event) -> Wants:
        """Take an event; return which request it calls for."""
        match event:
            case Opened() | Resized():
                self._adopt_screen()
                if not self.opened.done():
                    self.opened.set_result(None)
                return Wants.EVERYTHING
            case Updated():
                self.updated_at = self._loop.time()
                return Wants.NEWS
            case ContinuousUpdatesOffered():
                self.connection.update_continuously()
            case ContinuousUpdatesEnded():
                return Wants.NEWS
            case FenceReplied(payload):
                self._note_read(int.from_bytes(payload, "big"))
        return Wants.NOTHING

    def _ask(self, wants: Wants) -> None:
        """Arm one request, however many updates came in one piece."""
        if wants is Wants.EVERYTHING:
            self.connection.request_update(incremental=False)
            if self.connection.continuous:  # the screen may have another size
                self.connection.update_continuously()
        elif wants is Wants.NEWS and not self.connection.continuous:
            self.connection.request_update(incremental=True)

    def _note_read(self, inputs: int) -> None:
        """A fence came back; what it says was said by us, unless the server makes things up."""
        if self.inputs_read < inputs <= self.inputs_sent:
            self.inputs_read = inputs
            self.inputs_read_at = self._loop.time()

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
            self.fail(ConnectionLostError("the VNC server no longer reads its input"))

    def fail(self, error: RemoteError) -> None:
        """Give the link up because of `error`, unless it was given up before; drop it at once."""
        if self.fault is None:
            error.remote = error.remote or str(self.remote)
            self.fault = error
        if not self.opened.done():
            self.opened.set_exception(self.fault)
        self.abort()
        self._wake()
