"""The client's half of the opening: version, security, the screen (RFC 6143 §7.1 to §7.3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Sequence
from enum import Enum
from typing import NamedTuple

from auniverse.errors import (
    AuthenticationError,
    ConnectError,
    ConnectionLostError,
    RFBError,
    UsageError,
)

from .security import CHALLENGE, vnc_response
from .types import Limits, SecurityType

#: Says how many bytes it wants next, is sent exactly those, and returns at the end.
Steps = Generator[int, bytes, "ServerInit"]

_VERSION = re.compile(rb"RFB (\d{3})\.(\d{3})\n")


class State(Enum):
    """Where a connection stands; before OPEN, what it waits for."""

    VERSION = "the protocol version"
    SECURITY = "the security types"
    CHALLENGE = "the challenge"
    RESULT = "the security result"
    REASON = "the reason of a refusal"
    INIT = "the screen's size and name"
    OPEN = "messages"
    CLOSED = "nothing"


class ServerInit(NamedTuple):
    """What the opening ends with (RFC 6143 §7.3.2), without the server's own pixel format."""

    width: int
    height: int
    name: str


def check_banner(data: bytes | memoryview) -> None:
    """Look at the first bytes of a connection, however few.

    Raises:
        RFBError: No RFB server begins like that; the message quotes it.
    """
    if bytes(data[:4]) != b"RFB "[: len(data)]:
        line = printable(bytes(data[:80]).partition(b"\n")[0])
        raise RFBError(
            f"not a VNC server: it said {line!r}", remedy="check the port: VNC is usually on 5900"
        )


def printable(data: bytes) -> str:
    """Return text from a remote, fit for a log: UTF-8, what cannot be printed as "?"."""
    text = data.decode("utf-8", "replace").strip()
    return "".join(letter if letter.isprintable() else "?" for letter in text)


class Handshake:
    """The opening, as a generator that is sent the bytes it asks for.

    Args:
        send: Takes the bytes for the server.
        password: For VNC authentication.
        security: The accepted security types, the preferred one first.
        shared: Whether other clients may stay.
        limits: What the server may make us hold.

    Attributes:
        state: What it waits for.
        version: The protocol version that is spoken.
    """

    def __init__(
        self,
        send: Callable[[bytes], None],
        *,
        password: str | None,
        security: Sequence[int],
        shared: bool,
        limits: Limits,
    ) -> None:
        unknown = set(security) - {SecurityType.NONE, SecurityType.VNC_AUTHENTICATION}
        if unknown or not security:
            raise UsageError(f"security types {list(security)}: known are 1 (none) and 2 (VNC)")
        self._send = send
        self._password = password
        self._security = list(map(int, security))
        self._shared = shared
        self._limits = limits
        self.state = State.VERSION
        self.version = (3, 8)

    def run(self) -> Steps:
        """Do it.

        Raises:
            ConnectError: The server turns clients away, for the reason it gives.
            AuthenticationError: It wants a password that we lack, refuses ours, or offers no kind
                of security that we accept.
            RFBError: It does not speak RFB, or exceeds a limit.
        """
        self.version = _spoken_version((yield 12))
        self._send(b"RFB %03d.%03d\n" % self.version)
        self.state = State.SECURITY
        security = yield from (self._told() if self.version < (3, 7) else self._chosen())
        if security == SecurityType.VNC_AUTHENTICATION:
            self.state = State.CHALLENGE
            self._send(vnc_response(self._password or "", (yield CHALLENGE)))
        if security == SecurityType.VNC_AUTHENTICATION or self.version >= (3, 8):
            yield from self._result()
        self._send(bytes([self._shared]))
        self.state = State.INIT
        init = yield 24
        length = int.from_bytes(init[20:], "big")
        if length > self._limits.name:
            raise RFBError(f"a desktop name of {length} bytes; the limit is {self._limits.name}")
        name = printable((yield length))
        return ServerInit(int.from_bytes(init[:2], "big"), int.from_bytes(init[2:4], "big"), name)

    def _told(self) -> Generator[int, bytes, int]:
        """RFB 3.3: the server decides (RFC 6143 appendix A.1)."""
        security = int.from_bytes((yield 4), "big")
        if security == SecurityType.INVALID:
            raise ConnectError(f"the server turns us away: {(yield from self._reason())}")
        return self._choose([security])

    def _chosen(self) -> Generator[int, bytes, int]:
        """RFB 3.7 and later: the server offers, we choose (RFC 6143 §7.1.2)."""
        count = (yield 1)[0]
        if count == 0:
            raise ConnectError(f"the server turns us away: {(yield from self._reason())}")
        security = self._choose(list((yield count)))
        self._send(bytes([security]))
        return security

    def _choose(self, offered: list[int]) -> int:
        wanted = [kind for kind in self._security if kind in offered]
        if self._password is None and SecurityType.VNC_AUTHENTICATION in wanted:
            wanted.remove(SecurityType.VNC_AUTHENTICATION)
            if not wanted:
                raise AuthenticationError(
                    "the server wants a password",
                    remedy="give the password: vnc://host:5900?password=...",
                )
        if not wanted:
            raise AuthenticationError(
                f"the server offers security types {offered}; accepted are {self._security}",
                remedy="1 is none, 2 is VNC authentication; change the server's or ours",
            )
        return wanted[0]

    def _result(self) -> Generator[int, bytes, None]:
        """Read the SecurityResult (RFC 6143 §7.1.3)."""
        self.state = State.RESULT
        result = int.from_bytes((yield 4), "big")
        if result == 0:
            return
        reason = "it gives no reason"
        if self.version >= (3, 8):
            reason = yield from self._reason()
        elif result == 2:
            reason = "too many attempts"
        raise AuthenticationError(f"the server refuses us: {reason}", remedy="check the password")

    def _reason(self) -> Generator[int, bytes, str]:
        self.state = State.REASON
        try:
            length = int.from_bytes((yield 4), "big")
            if length > self._limits.reason:
                return f"it gives a reason of {length} bytes, which was not read"
            return printable((yield length)) or "it gives no reason"
        except ConnectionLostError:
            return "it gives no reason"


def _spoken_version(banner: bytes) -> tuple[int, int]:
    """Return the version to speak with a server of that banner (RFC 6143 §7.1.1).

    Servers that announce more than 3.8 (Apple's 3.889, 4.0, 5.0) speak 3.8; all others 3.3.
    """
    match = _VERSION.fullmatch(banner)
    if match is None:
        raise RFBError(f"a version of {printable(banner)!r}")
    version = (int(match[1]), int(match[2]))
    if version >= (3, 8):
        return (3, 8)
    return version if version == (3, 7) else (3, 3)
