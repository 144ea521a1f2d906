"""The link for pixels and input: one RFB connection over TCP.

Theory of operation. What arrives is decoded in the callback that brings it, or, if that is much, by
a worker (see `turns`) while the socket waits. While a worker has the connection the link must not
touch it: input and requests are packed and written without it, and what has changed counts only
once the connection is back. Pixels appear on the screen meanwhile, so that who copies them may see
half an update; its damage is told afterwards, and the next copy has the whole of it.
The next update is asked for when one begins to come in: the server need not wait for our decoding.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
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
    FrameDrawn,
    KeyEvent,
    Opened,
    PointerEvent,
    Resized,
    Updated,
)

from .damage import SeenDamage
from .progress import Progress
from .requests import Requests, Wants
from .stopwatch import Stopwatch
from .turns import SLICE, SMALL, SMALL_SLICE, WORKER_SLICE, Turns, quick_to_copy, turns_of

#: Input that a remote has not read. Above this it counts as stuck: a screen that takes no keys is
#: no environment, and its queue must not grow.
UNREAD_INPUT_LIMIT = 1 << 20
#: Bytes for each pixel, from which on a stream counts as not compressed.
UNCOMPRESSED = 3.5

_NOTHING = Wants.NOTHING  # to look it up takes a while


class VNCLink(asyncio.BufferedProtocol):
    """An RFB connection on a socket, always with one request armed or with continuous updates.

    Attributes:
        connection: The protocol core.
        damage: What changed on the screen since the session last took it.
        fault: Why the link ended, None while it lives.
        updated_at: `loop.time()` of the newest update, 0.0 before the first.
        stopwatch: Seconds spent on reading what arrived; links may share one.
        inputs_sent: Key and pointer events sent.
        inputs_read: How many of them the server has confirmed to have read, by a fence.
        inputs_read_at: `loop.time()` when the newest confirmation came, 0.0 before the first.
    """

    def __init__(self, remote: Remote, connection: Connection, wake: Callable[[], None]) -> None:
        self.remote = remote
        self.connection = connection
        self.damage = SeenDamage()
        self.fault: RemoteError | None = None
        self._frame: Frame | None = None
        self.updated_at = self.inputs_read_at = 0.0
        self.stopwatch = Stopwatch()
        self.inputs_sent = self.inputs_read = 0
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._progress = Progress(connection, self._loop.time())
        self._transport: asyncio.Transport | None = None
        self._closing = False
        self._behind = False  # more has arrived than one callback may read
        self._full = False  # the sockets have brought what they may in this round
        self._turns: Turns | None = None  # while there is a socket
        self._away = False  # a worker has the connection
        self._worked = 0.0  # seconds that it took
        self._back: asyncio.Future[None] | None = None  # somebody waits until it has not
        self._broken: Exception | None = None  # what the worker ran into
        self._plain = False  # what came last was not compressed
        self._acted = False  # since the last update
        self._requests = Requests(connection)
        self.opened: asyncio.Future[None] = self._loop.create_future()
        self._lost: asyncio.Future[None] = self._loop.create_future()

    # -- asyncio's side ------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket; the server speaks first."""
        self._transport = cast(asyncio.Transport, transport)
        self._turns = turns_of(self._loop)
        self._turns.joined(1)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Give the core's own memory to the socket."""
        assert self._turns is not None
        return self.connection.get_buffer(sizehint)[: self._turns.intake]

    def buffer_updated(self, nbytes: int) -> None:
        """Let the core decode what arrived, answer it, and wake the session."""
        begun, small = self._loop.time(), nbytes < SMALL and not self._behind
        if not small and self._turns is not None and self.opened.done():
            self._full = not self._turns.took(nbytes)
        try:
            if small:
                self.connection.buffer_updated(nbytes, SMALL_SLICE)
                self.stopwatch.seconds += self._loop.time() - begun
            elif self._plain and quick_to_copy(nbytes) and not self._behind:
                self._read(nbytes)
            else:
                self.connection.buffer_updated(nbytes, 0)
                self._read()
        except RemoteError as error:
            self.fail(error)
        else:
            self._tell()

    def _go_on(self) -> None:
        """Read on, in a later callback than the one before."""
        self._full = False
        if self._away or self._closing or self.fault is not None:
            return
        try:
            self._read()
        except RemoteError as error:
            self.fail(error)
        else:
            self._tell()

    def _read(self, fresh: int = 0) -> None:
        """Read a slice of what has arrived, or have a worker do it; with fresh bytes do it here."""
        if fresh or (self.connection.pending and not self._send_away()):
            pixels = self.connection.pixels
            self.stopwatch.seconds += self._decode(SLICE, fresh)
            if self._turns is not None and not self._plain:
                self._turns.painted(self.connection.pixels - pixels)

    def _decode(self, work: int, fresh: int = 0) -> float:
        """Have the core read on, with so many bytes more; return the seconds that it took."""
        connection, begun = self.connection, self._loop.time()
        unread, pixels = connection.waiting + fresh, connection.pixels
        if fresh:
            connection.buffer_updated(fresh, work)
        else:
            connection.go_on(work)
        if painted := connection.pixels - pixels:
            self._plain = unread - connection.waiting > UNCOMPRESSED * painted
        return self._loop.time() - begun

    def _tell(self) -> None:
        """Act on what has been read; while more is left, no more is taken in."""
        if self._away or self.fault is not None:
            return
        connection = self.connection
        events = connection.events()
        wants, ended = _NOTHING, 0
        for event in events:
            if type(event) is Updated:
                ended += event.updates
            elif type(event) is not FrameDrawn:
                wants = max(wants, self._heed(event))
        if ended:
            self._acted = False
            self._frame = connection.frame
            self.updated_at = self._loop.time()
        self._ask(wants, ended)
        if events:
            self._wake()
        if (behind := connection.pending or self._full) or self._behind:
            self._hold(behind)
        if behind:
            self._loop.call_soon(self._go_on)  # the others' turn in between

    def _hold(self, behind: bool) -> None:
        """Let nothing more come in, or something again."""
        if behind == self._behind or self._transport is None or self._transport.is_closing():
            return
        self._behind = behind
        if behind:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    # -- on a worker ---------------------------------------------------------------------------

    def _send_away(self) -> bool:
        """Have a worker read what waits, if that is more than this round of the loop has time for.

        The request for the next update goes out before: it need not wait for the pixels.
        """
        connection, turns = self.connection, self._turns
        if turns is None or not connection.parallel or self._transport is None:
            return False
        quick = not connection.too_large and turns.has_time(connection.waiting, self._plain)
        if connection.blocked or quick:
            return False
        self._ask(_NOTHING)
        if self.fault is not None:
            return True
        connection.lend(True)
        self._away = connection.lends = turns.send_away(self, first=self._acted)
        connection.lend(self._away)
        self._hold(self._away or self._behind)
        return self._away

    def work(self) -> None:
        """Read what waits, on a worker's thread."""
        if self._closing:
            return
        try:
            self._worked = self._decode(WORKER_SLICE)
        except Exception as error:  # told on the loop
            self._broken = error

    def come_home(self) -> None:
        """Have the connection back from a worker."""
        self._away = False
        self.connection.lend(False)
        self.stopwatch.seconds, self._worked = self.stopwatch.seconds + self._worked, 0.0
        if self._back is not None:
            self._back.set_result(None)
            self._back = None
        if self._closing or self.fault is not None:
            return
        if isinstance(error := self._broken, RemoteError):
            self.fail(error)
        elif error is not None:
            what = {"message": "a VNC stream could not be decoded", "exception": error}
            self._loop.call_exception_handler(what)
            self.fail(ConnectionLostError(f"it could not be decoded: {error!r}"))
        else:
            self._tell()

    async def left(self) -> None:
        """Wait until no worker has the connection, and so nobody paints on the screen."""
        while self._away:
            self._back = self._back or self._loop.create_future()
            await asyncio.shield(self._back)

    def eof_received(self) -> None:
        """The server closed its end: say where that broke the protocol off."""
        if self._closing or self._away:  # a worker still reads: what it says comes first
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
        if self._turns is not None:
            self._turns.joined(-1)
            self._turns = None
        if not self._lost.done():
            self._lost.set_result(None)

    # -- the session's side --------------------------------------------------------------------

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the screen in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """The live screen, uint8 (height, width, 4) RGBX; it changes whenever the loop runs."""
        framebuffer = self.connection.framebuffer
        assert framebuffer is not None
        return framebuffer.pixels

    @property
    def frame(self) -> Frame | None:
        """The newest frame the host has told us about, None from other servers."""
        return self._frame

    @property
    def refreshed(self) -> bool:
        """Whether every pixel was sent anew since `refresh`, or since the link opened."""
        return self.damage.complete

    def refresh(self) -> None:
        """Ask for the whole screen, for servers that do not number their frames."""
        self.damage.watch(*self.size)
        self._write(self.connection.update_message(incremental=False))

    def act(self, events: Iterable[KeyEvent | PointerEvent]) -> int:
        """Send input in order, in one write; return how many events that were.

        A server that knows fences and does not number its frames is asked to tell when it has read
        them: see `inputs_read`.
        """
        connection = self.connection
        messages = [connection.input_message(event) for event in events]
        if not (count := len(messages)):
            return 0
        self._acted = True
        self.inputs_sent += count
        if connection.fences and self.frame is None:
            messages.append(connection.fence_message(self.inputs_sent.to_bytes(8, "big")))
        self._write(b"".join(messages))
        return count

    @property
    def heard_at(self) -> float:
        """`loop.time()` when the server was last found to get on with what it says."""
        now = self._loop.time()
        return now if self._away else self._progress.heard_at(now)

    def probe(self) -> None:
        """Ask for something that every server answers at once, however still its screen stands.

        That is a fence. A server that knows none is asked for one pixel, changed or not; the pixel
        counts as an update then.
        """
        connection = self.connection
        if connection.fences:
            self._write(connection.fence_message(b""))
        elif connection.framebuffer is not None:
            self._write(connection.update_message(incremental=False, box=Box(0, 0, 1, 1)))

    async def close(self) -> None:
        """Send what is queued, close, and wait until nobody paints any more; idempotent."""
        self._closing = True
        if self._transport is None:
            return
        self._transport.close()
        try:
            async with asyncio.timeout(1.0):
                await asyncio.shield(self._lost)
        except TimeoutError:
            self._transport.abort()
        await self.left()

    def abort(self) -> None:
        """Drop the connection at once. A worker may still paint: see `left`."""
        self._closing = True
        if self._transport is not None:
            self._transport.abort()

    # -- inside --------------------------------------------------------------------------------

    def _heed(self, event: Event) -> Wants:
        """Take an event; return which request it calls for."""
        match event:
            case Opened() | Resized():
                self.connection.lends = True
                self._adopt_screen()
                if not self.opened.done():
                    self.opened.set_result(None)
                return Wants.EVERYTHING
            case ContinuousUpdatesOffered():
                self.connection.update_continuously()
            case ContinuousUpdatesEnded():
                return Wants.NEWS
            case FenceReplied(payload):
                inputs = int.from_bytes(payload, "big")
                if self.inputs_read < inputs <= self.inputs_sent:  # or the server makes things up
                    self.inputs_read, self.inputs_read_at = inputs, self._loop.time()
        return Wants.NOTHING

    def _ask(self, wants: Wants, ended: int = 0) -> None:
        """Arm one request, however many updates came in one piece, and send what else there is."""
        request = self._requests.due(wants, ended)
        if data := self.connection.data_to_send() + request:
            self._write(data)

    def _adopt_screen(self) -> None:
        framebuffer = self.connection.framebuffer
        assert framebuffer is not None
        self.damage.extend(framebuffer.damage.take())
        framebuffer.damage = self.damage
        self.damage.watch(framebuffer.width, framebuffer.height)

    def _write(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > UNREAD_INPUT_LIMIT:
            self.fail(ConnectionLostError("the VNC server no longer reads its input"))

    def fail(self, error: RemoteError) -> None:
        """Give the link up because of `error`, unless it was given up before; drop it at once."""
        if self.fault is None:
            error.remote = error.remote or str(self.remote)
            self.fault = error.with_traceback(None)  # its frames would hold this link
        if not self.opened.done():
            self.opened.set_exception(self.fault)
        self.abort()
        self._wake()
