"""How a link for pixels comes about: what is dialled, agreed on, and put in between on the way."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

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
    Connection,
    Event,
    HandOver,
    Opened,
    SecurityType,
    StartTLS,
    allocate_pixels,
    decoder_named,
)

from .detour import Held
from .requests import Wants
from .tls import client_context, tls_error
from .tunnel import dial, keep_alive
from .turns import SLICE
from .vnc import VNCLink

#: Security that keeps out nobody who can listen on the way.
WEAK = {SecurityType.NONE, SecurityType.VNC_AUTHENTICATION, SecurityType.APPLE}

logger = logging.getLogger(__name__)
_warned: set[str] = set()


class OpeningLink(VNCLink):
    """A link that can take detours while it opens: TLS begins, or others talk for a while."""

    _detour: asyncio.Task[None] | None = None

    def abort(self) -> None:
        """Drop the connection at once."""
        if self._detour is not None:
            self._detour.cancel()
        super().abort()

    def _heed(self, event: Event) -> Wants:
        match event:
            case StartTLS(anonymous):
                self._take(self._start_tls(anonymous))
            case HandOver():
                self._take(self._hand_over())
            case Opened():
                _warn_if_weak(self.remote, self.connection.security)
        return super()._heed(event)

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
            self.fail(error)
        except ssl.SSLError as error:
            self.fail(tls_error(error))
        except OSError as error:
            self.fail(ConnectionLostError(f"the connection was lost in its opening: {error}"))
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
        self.connection.receive_data(rest, SLICE)


async def open_vnc(
    remote: Remote,
    *,
    timeout: float = 10.0,
    encodings: Sequence[int] | None = None,
    allocate: Allocate = allocate_pixels,
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
    connection = Connection(
        username=remote.username,
        security=_security(remote),
        password=remote.vnc_password,
        encodings=DEFAULT_ENCODINGS if encodings is None else encodings,
        allocate=allocate,
        decoder=decoder_named(os.environ.get("AUNIVERSE_DECODER")),
    )
    link = OpeningLink(where, connection, wake)
    try:
        await _open(link, remote, timeout)
    except TimeoutError as error:
        stage = "the VNC handshake" if link._transport else "the TCP connection"
        raise RemoteTimeoutError(
            f"{stage} did not finish within {timeout:g} s",
            remote=str(where),
            remedy="is this the port of a VNC server, and is it reachable?",
        ) from error
    except ssl.SSLError as error:
        raise tls_error(error, str(where)) from error
    except OSError as error:
        raise ConnectError(
            f"cannot connect: {error.strerror or error}",
            remote=str(where),
            remedy="is the remote up, and is the first port the one of its VNC server?",
        ) from error
    return link


async def _open(link: VNCLink, remote: Remote, timeout: float) -> None:
    """Connect and shake hands; if that fails, nothing is left that could paint."""
    assert remote.vnc_port is not None
    try:
        async with asyncio.timeout(timeout):
            loop = asyncio.get_running_loop()
            way = await dial(remote, remote.vnc_port, screen=True)
            if remote.route.scheme == "vnc+tls":
                context = client_context(remote.route)
                way |= {"ssl": context, "server_hostname": remote.host}
            transport, _ = await loop.create_connection(lambda: link, **way)
            keep_alive(transport)
            await link.opened
    except BaseException:
        link.abort()
        await link.left()
        raise


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
