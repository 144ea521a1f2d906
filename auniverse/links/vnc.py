"""The link for pixels and input: one RFB connection over TCP.

Theory of operation. Pixels appear on the screen while they are decoded (see `reading`), so that
who copies them may see half an update; its damage is told afterwards, and the next copy has the
whole of it. The next update is asked for when one begins to come in: the server need not wait for
our decoding.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

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
from .inputs import Inputs
from .progress import Progress
from .reading import Reading
from .requests import Requests, Wants

#: Input that a remote has not read. Above this it counts as stuck: a screen that takes no keys is
#: no environment, and its queue must not grow.
UNREAD_INPUT_LIMIT = 1 << 20

_NOTHING = Wants.NOTHING  # to look it up takes a while


class VNCLink(Reading):
    """An RFB connection on a socket, always with one request armed or with continuous updates.

    Attributes:
        damage: What changed on the screen since the session last took it.
        updated_at: `loop.time()` of the newest update, 0.0 before the first.
        inputs: The input sent, and how much of it the server has read.
    """

    def __init__(self, remote: Remote, connection: Connection, wake: Callable[[], None]) -> None:
        super().__init__(connection)
        self.remote = remote
        self.damage = SeenDamage()
        self._frame: Frame | None = None
        self.updated_at = 0.0
        self.inputs = Inputs(connection)
        self._wake = wake
        self._progress = Progress(connection, self._loop.time())
        self._requests = Requests(connection)
        self._unanswered = 0  # updates that ended, and for which `_ask` is still to come

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
        them.
        """
        before = self.inputs.sent
        if data := self.inputs.pack(events, fenced=self.frame is None):
            self._urgent = True
            self._write(data)
        return self.inputs.sent - before

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
        self._stop_reading()
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
        self._stop_reading()
        if self._transport is not None:
            self._transport.abort()

    # -- inside --------------------------------------------------------------------------------

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
        awaited = ended and self._urgent and wants is _NOTHING
        if ended:
            self._urgent = False
            self._frame = connection.frame
            self.updated_at = self._loop.time()
        if awaited:  # whoever waits goes first: the request leaves behind what he sends now
            self._unanswered += ended
            self._wake()
            self._loop.call_soon(self._ask_late)
        else:
            self._ask(wants, ended)
            if events:
                self._wake()
        self._breathe()

    def _heed(self, event: Event) -> Wants:
        """Take an event; return which request it calls for."""
        match event:
            case Opened() | Resized():
                self.connection.lends = True
                self._adopt_screen()
                self._take_socket()
                if not self.opened.done():
                    self.opened.set_result(None)
                return Wants.EVERYTHING
            case ContinuousUpdatesOffered():
                self.connection.update_continuously()
            case ContinuousUpdatesEnded():
                return Wants.NEWS
            case FenceReplied(payload):
                self.inputs.confirm(payload, self._loop.time())
        return Wants.NOTHING

    def _ask_late(self) -> None:
        if not self._away and self.fault is None:
            self._ask()

    def _ask(self, wants: Wants = _NOTHING, ended: int = 0) -> None:
        """Arm one request, however many updates came in one piece, and send what else there is."""
        request = self._requests.due(wants, ended + self._unanswered)
        self._unanswered = 0
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
            self.fault = error.without_frames()
        if not self.opened.done():
            self.opened.set_exception(self.fault)
        self.abort()
        self._wake()
