"""The asyncio shell around `auniverse.rfb.Viewer`: sockets, deadlines, back-pressure."""

from __future__ import annotations

import asyncio
import logging
import secrets
import ssl
from collections.abc import Callable
from typing import cast

from auniverse.errors import RFBError
from auniverse.rfb import Joined, KeyEvent, PointerEvent, Screen, StartTLS, Viewer

from .keepalive import ask_after

_log = logging.getLogger(__name__)

#: Seconds that a viewer has for its handshake.
HANDSHAKE = 10.0
#: Viewers at a time, those in their handshake included.
MAX_VIEWERS = 32
#: Inputs of one viewer that wait for the next frame; beyond it is not read from.
MAX_INPUTS = 1024
#: Keys of one viewer that are lifted when it leaves; nobody has more fingers.
MAX_DOWN = 256
#: Seconds that a viewer has to read the rest before its connection is cut.
LINGER = 1.0
#: Bytes that may wait in a viewer's transport before it gets no more updates.
HIGH_WATER = 256 * 1024


class ViewerLink(asyncio.Protocol):
    """One viewer's socket."""

    viewer: Viewer
    transport: asyncio.Transport

    def __init__(self, server: RFBServer) -> None:
        self._loop = asyncio.get_running_loop()
        self.gone: asyncio.Future[None] = self._loop.create_future()
        self._server = server
        self._inputs: list[KeyEvent | PointerEvent] = []
        self._down: set[int] = set()
        self._pointer = PointerEvent(0, 0, 0)
        self._paused = False
        self._wrapping: asyncio.Task[None] | None = None
        self._peer = "a viewer"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet the viewer, or turn it away if there are too many (asyncio sets TCP_NODELAY)."""
        self.transport = cast(asyncio.Transport, transport)
        ask_after(transport)
        self._peer = f"viewer {transport.get_extra_info('peername')}"
        self.viewer = self._server.greet()
        if len(self._server.links) >= MAX_VIEWERS:
            self.end(f"there are {MAX_VIEWERS} viewers already")
            return
        self._server.links.append(self)
        self.transport.set_write_buffer_limits(high=HIGH_WATER)
        self._deadline = self._loop.call_later(
            HANDSHAKE, self.end, f"no handshake in {HANDSHAKE:.0f} s"
        )
        self.flush()

    def data_received(self, data: bytes) -> None:
        """Take the viewer's bytes; inputs wait for `take_inputs`."""
        try:
            self.viewer.receive_data(data)
        except RFBError as error:
            self.end(str(error))
            return
        for event in self.viewer.events():
            if isinstance(event, KeyEvent | PointerEvent):
                self._inputs.append(event)
            elif isinstance(event, Joined):
                self._deadline.cancel()
                self._server.joined(self, shared=event.shared)
            elif isinstance(event, StartTLS):
                self.transport.pause_reading()
                self._wrapping = self._loop.create_task(self._start_tls())
        if len(self._inputs) >= MAX_INPUTS:
            self.transport.pause_reading()
        self.update()

    async def _start_tls(self) -> None:
        """Go on inside TLS; the bytes that say so to the viewer are on their way."""
        assert self._server.tls is not None
        reason = "it left where TLS begins"
        try:
            wrapped = await self._loop.start_tls(
                self.transport, self, self._server.tls, server_side=True
            )
        except OSError as error:  # ssl.SSLError is one: the viewer does not trust us, mostly
            wrapped, reason = None, f"no TLS: {error}"
        if wrapped is None or self.viewer.closed:
            self.end(reason)
            self._left()  # asyncio does not tell of a connection that is lost while TLS begins
            return
        self.transport = wrapped
        self.transport.set_write_buffer_limits(high=HIGH_WATER)
        self.viewer.tls_started()
        self.flush()

    def update(self) -> None:
        """Send what the viewer asked for, if there is news and it reads what it was sent."""
        if not self._paused:
            self.viewer.update()
        self.flush()

    def take_inputs(self) -> list[KeyEvent | PointerEvent]:
        """Return the inputs since this was last called."""
        inputs, self._inputs = self._inputs, []
        for event in inputs:
            if isinstance(event, PointerEvent):
                self._pointer = event
            elif not event.down:
                self._down.discard(event.keysym)
            elif len(self._down) < MAX_DOWN:
                self._down.add(event.keysym)
        if len(inputs) >= MAX_INPUTS:
            self.transport.resume_reading()
        return inputs

    def releases(self) -> list[KeyEvent | PointerEvent]:
        """Return the inputs that lift what the viewer holds down."""
        lifted: list[KeyEvent | PointerEvent] = [KeyEvent(key, False) for key in sorted(self._down)]
        if self._pointer.buttons:
            lifted.append(self._pointer._replace(buttons=0))
        return lifted

    def flush(self) -> None:
        """Write what the viewer's core has to say, and end with it."""
        data = self.viewer.data_to_send()
        if data:
            self.transport.write(data)
        if self.viewer.closed:
            self.end(str(self.viewer.close_reason or "closed"))

    def end(self, reason: str) -> None:
        """Close the connection, after what was written before. Twice is once."""
        if self.transport.is_closing():
            return
        self.viewer.close()
        data = self.viewer.data_to_send()
        if data:
            self.transport.write(data)
        _log.info("%s: %s", self._peer, reason)
        self.transport.close()
        self._loop.call_later(LINGER, self.transport.abort)

    def pause_writing(self) -> None:
        """The viewer does not keep up: no updates for it until it does."""
        self._paused = True

    def resume_writing(self) -> None:
        """It has caught up: what it missed comes as one update."""
        self._paused = False
        self.update()

    def connection_lost(self, exc: Exception | None) -> None:
        """The viewer is gone."""
        self._left()

    def _left(self) -> None:
        if not self.gone.done():
            self.gone.set_result(None)
        self.viewer.close()
        if self in self._server.links:
            self._deadline.cancel()
            self._server.links.remove(self)
            self._server.left_behind += self.releases()
            self._server.changed()


class RFBServer:
    """Listens for viewers of one screen.

    Attributes:
        links: The connections, those in their handshake included.
        left_behind: What lifts the keys that viewers held when they left.
        port: Where it listens, 0 before `listen`.
    """

    def __init__(
        self,
        screen: Screen,
        *,
        password: str | None,
        changed: Callable[[], None],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Serve `screen`.

        Args:
            screen: What viewers see.
            password: What they must know; None lets everybody in.
            changed: Called when a viewer came or went.
            tls: The server's certificate: nobody sees anything outside of TLS then.
        """
        self.tls = tls
        self.links: list[ViewerLink] = []
        self.left_behind: list[KeyEvent | PointerEvent] = []
        self.port = 0
        self.changed = changed
        self._screen = screen
        self._password = password
        self._listener: asyncio.Server | None = None

    async def listen(self, bind: str, port: int) -> None:
        """Begin to accept viewers; port 0 takes a free one."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(lambda: ViewerLink(self), bind, port)
        self.port = self._listener.sockets[0].getsockname()[1]

    def watching(self) -> list[ViewerLink]:
        """Return the connections that are past their handshake."""
        return [link for link in self.links if link.viewer.joined and not link.viewer.closed]

    def update(self) -> None:
        """Give every viewer what is new."""
        for link in self.watching():
            link.update()

    def greet(self) -> Viewer:
        """Return the core of a new connection."""
        challenge = secrets.token_bytes(16)
        return Viewer(
            self._screen,
            password=self._password,
            challenge=challenge,
            tls=self.tls is not None,
        )

    def joined(self, link: ViewerLink, *, shared: bool) -> None:
        """Count a viewer in; one that does not share is given the screen for itself."""
        if not shared:
            for other in list(self.links):
                if other is not link:
                    other.end("another viewer wants the screen for itself")
        self.changed()

    async def close(self) -> None:
        """Stop listening and close all connections."""
        if self._listener is not None:
            self._listener.close()
        links = list(self.links)
        for link in links:
            link.end("the host ends")
        await asyncio.gather(*(link.gone for link in links))
