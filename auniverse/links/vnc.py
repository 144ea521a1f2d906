"""The link for pixels and input: one RFB connection over TCP."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from enum import IntEnum
from ipaddress import ip_address
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from auniverse.address import Remote
from auniverse.errors import (
    AuniverseError,
    ConnectError,
    ConnectionLostError,
    RemoteError,
    RemoteTimeoutError,
)
from auniverse.rfb import (
    DEFAULT_ENCODINGS,
    SECURITY_NAMES,
    WANTS_USERNAME,
    Allocate,
    Box,
    Connection,
    ContinuousUpdatesEnded,
    ContinuousUpdatesOffered,
    Damage,
    Event,
    FenceReplied,
    Frame,
    HandOver,
    KeyEvent,
    Opened,
    PointerEvent,
    Resized,
    SecurityType,
    StartTLS,
    Updated,
    allocate_zeros,
    decoder_named,
)

from .detour import Held
from .tls import client_context, tls_error
from .tunnel import dial

#: Input that a remote has not read. Above this it counts as stuck: a screen that takes no keys is
#: no environment, and its queue must not grow.
UNREAD_INPUT_LIMIT = 1 << 20
#: Security that keeps out nobody who can listen on the way.
WEAK = {SecurityType.NONE, SecurityType.VNC_AUTHENTICATION, SecurityType.APPLE}

logger = logging.getLogger(__name__)
_warned: set[str] = set()


class SeenDamage(Damage):
    """Damage that can also tell when every pixel has been sent anew."""

    def __init__(self) -> None:
        super().__init__()
        self._unseen: NDArray[np.bool_] | None = None

    def watch(self, width: int, height: int) -> None:
        """Begin to note which pixels arrive."""
        self._unseen = np.ones((height, width), np.bool_)

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
            self._unseen[y : y + height, x : x + width] = False


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
        self._transport: asyncio.Transport | None = None
        self._closing = False
        self._detour: asyncio.Task[None] | None = None
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
        try:
            self.connection.buffer_updated(nbytes)
        except RemoteError as error:
            self._fail(error)
            return
        wants = Wants.NOTHING
        for event in self.connection.events():
            wants = max(wants, self._heed(event))
        self._ask(wants)
        self._flush()
        self._wake()

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
        if self._detour is not None:
            self._detour.cancel()
        if self._transport is not None:
            self._transport.abort()

    # -- inside --------------------------------------------------------------------------------

    def _heed(self, event: Event) -> Wants:
        """Take an event; return which request it calls for."""
        match event:
            case Opened() | Resized():
                self._adopt_screen()
                if isinstance(event, Opened):
                    _warn_if_weak(self.remote, self.connection.security)
                if not self.opened.done():
                    self.opened.set_result(None)
                return Wants.EVERYTHING
            case StartTLS(anonymous):
                self._take(self._start_tls(anonymous))
            case HandOver():
                self._take(self._hand_over())
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

    def _take(self, detour: Coroutine[Any, Any, None]) -> None:
        """Let something else happen to the connection, which is not read from before it begins."""
        assert self._transport is not None
        self._transport.pause_reading()
        self._detour = self._loop.create_task(self._finish(detour))

    async def _finish(self, detour: Coroutine[Any, Any, None]) -> None:
        try:
            await detour
            self.buffer_updated(0)  # what the core has to say now, and what has happened to it
        except RemoteError as error:
            self._fail(error)
        except ssl.SSLError as error:
            self._fail(tls_error(error))
        except OSError as error:
            self._fail(ConnectionLostError(f"the connection was lost in its opening: {error}"))
        except AuniverseError as error:  # ours or this machine's: told to who opens
            if not self.opened.done():
                self.opened.set_exception(error)
            self.abort()

    async def _start_tls(self, anonymous: bool) -> None:
        context = client_context(self.remote.route, anonymous=anonymous)
        assert self._transport is not None
        held = Held(self, self._transport)
        wrapped = await self._loop.start_tls(
            self._transport, held, context, server_hostname="" if anonymous else self.remote.host
        )
        if wrapped is None:
            raise ConnectionLostError("the server hung up where TLS begins")
        self._transport = wrapped
        self.connection.tls_started()
        self._return(held.rest)

    async def _hand_over(self) -> None:
        from .apple import authenticate

        assert self._transport is not None
        username, password = self.remote.username or "", self.remote.vnc_password or ""
        screen, rest = await authenticate(self, self._transport, username, password)
        self.connection.take_over(*screen)
        self._return(rest)

    def _return(self, rest: bytes | bytearray) -> None:
        """Have the connection again, and first what came meanwhile."""
        assert self._transport is not None
        self._transport.set_protocol(self)
        self._transport.resume_reading()
        self.connection.receive_data(rest)

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
        AuthenticationError: It refuses the password, is not trusted, or offers no accepted
            kind of security.
        RemoteTimeoutError: It did not finish the handshake in time.
        ProtocolError: It broke the protocol.
        UsageError: AUNIVERSE_DECODER names a decoder that there is not.
    """
    where = replace(remote, rewarder_port=None)
    assert remote.vnc_port is not None
    connection = Connection(
        username=remote.username,
        security=_security(remote),
        password=remote.vnc_password,
        encodings=DEFAULT_ENCODINGS if encodings is None else encodings,
        allocate=allocate,
        decoder=decoder_named(os.environ.get("AUNIVERSE_DECODER")),
    )
    link = VNCLink(where, connection, wake)
    try:
        async with asyncio.timeout(timeout):
            loop = asyncio.get_running_loop()
            way = await dial(remote, remote.vnc_port, screen=True)
            if remote.route.scheme == "vnc+tls":
                context = client_context(remote.route)
                way |= {"ssl": context, "server_hostname": remote.host}
            await loop.create_connection(lambda: link, **way)
            await link.opened
    except TimeoutError as error:
        link.abort()
        stage = "the VNC handshake" if link._transport else "the TCP connection"
        raise RemoteTimeoutError(
            f"{stage} did not finish within {timeout:g} s",
            remote=str(where),
            remedy="is this the port of a VNC server, and is it reachable?",
        ) from error
    except ssl.SSLError as error:
        refusal = tls_error(error)
        refusal.remote = str(where)
        raise refusal from error
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


def _security(remote: Remote) -> list[SecurityType]:
    """Return what an address accepts; unless it says so itself, a user name says what it is for."""
    kinds = [SECURITY_NAMES[name] for name in remote.route.accepted]
    if remote.username is not None and not remote.route.security:
        kinds.sort(key=lambda kind: kind not in WANTS_USERNAME)
    return kinds


def _warn_if_weak(remote: Remote, agreed: SecurityType) -> None:
    """Say once of each remote that others can listen, if they can."""
    local = remote.host == "localhost"
    with suppress(ValueError):
        local = ip_address(remote.host).is_loopback
    if agreed in WEAK and not remote.route.encrypted and not local and str(remote) not in _warned:
        _warned.add(str(remote))
        logger.warning(
            "%s: nothing is encrypted, and %s is weak; see vnc+ssh://, vnc+tls:// and ?security=",
            remote,
            agreed.name.lower().replace("_", " "),
        )
