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
from .vencrypt import (
    ANONYMOUS,
    INSIDE_VENCRYPT,
    PAUSE,
    SECURITY_NAMES,
    VENCRYPT_VERSION,
    WANTS_PASSWORD,
    WANTS_USERNAME,
    plain_credentials,
    security_names,
)

#: Says how many bytes it wants next, is sent exactly those, and returns at the end. PAUSE instead
#: of a number: what the connection runs on must change first (`Handshake.state` says to what).
Steps = Generator[int, bytes, "ServerInit"]

_VERSION = re.compile(rb"RFB (\d{3})\.(\d{3})\n")


class State(Enum):
    """Where a connection stands; before OPEN, what it waits for."""

    VERSION = "the protocol version"
    SECURITY = "the security types"
    VENCRYPT = "VeNCrypt's version and types"
    TLS = "the start of TLS"
    APPLE = "Apple's authentication, done by others"
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
        username: For the types that want one.
        password: For the types that want one.
        security: The accepted security types, the preferred one first; those of VeNCrypt too.
        shared: Whether other clients may stay.
        limits: What the server may make us hold.

    Attributes:
        state: What it waits for.
        version: The protocol version that is spoken.
        security: The security type that was chosen; INVALID before.
    """

    def __init__(
        self,
        send: Callable[[bytes], None],
        *,
        username: str | None,
        password: str | None,
        security: Sequence[int],
        shared: bool,
        limits: Limits,
    ) -> None:
        if not security or set(security) - set(SECURITY_NAMES.values()):
            known = ", ".join(f"{kind} ({name})" for name, kind in SECURITY_NAMES.items())
            raise UsageError(f"security types {list(security)}: known are {known}")
        self._send = send
        self._username = username
        self._password = password
        self._accepted = list(map(int, security))
        self._shared = shared
        self._limits = limits
        self.state = State.VERSION
        self.version = (3, 8)
        self.security = SecurityType.INVALID

    @property
    def anonymous(self) -> bool:
        """Whether the TLS that was agreed on is without a certificate."""
        return self.security in ANONYMOUS

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
        chosen = yield from (self._told() if self.version < (3, 7) else self._chosen())
        self.security = SecurityType(chosen)
        if chosen in INSIDE_VENCRYPT:
            yield from self._vencrypt()
        elif chosen == SecurityType.APPLE:
            self.state = State.APPLE
            yield PAUSE  # who takes over says all that is left to say, and this ends here
        yield from self._authenticate(INSIDE_VENCRYPT.get(self.security, self.security))
        if self.security != SecurityType.NONE or self.version >= (3, 8):
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
        in_vencrypt = security in INSIDE_VENCRYPT
        if security != SecurityType.APPLE:  # that is left to who takes over
            self._send(bytes([SecurityType.VENCRYPT if in_vencrypt else security]))
        return security

    def _vencrypt(self) -> Generator[int, bytes, None]:
        """Choose again inside VeNCrypt, and ask for TLS if the type begins with it."""
        self.state = State.VENCRYPT
        version = yield 2
        if version < VENCRYPT_VERSION:
            raise RFBError(f"VeNCrypt {version[0]}.{version[1]}; spoken is 0.2")
        self._send(VENCRYPT_VERSION)
        if (yield 1) != b"\0":
            raise RFBError("the server does not speak VeNCrypt 0.2 after all")
        count = (yield 1)[0]
        kinds = yield 4 * count
        offered = [int.from_bytes(kinds[at : at + 4], "big") for at in range(0, 4 * count, 4)]
        self.security = SecurityType(self._choose(offered, inside=True))
        self._send(self.security.to_bytes(4, "big"))
        if self.security == SecurityType.PLAIN:
            return
        if (yield 1) != b"\1":
            raise AuthenticationError(
                "the server cannot begin TLS", remedy="check the server's certificate and key"
            )
        self.state = State.TLS
        yield PAUSE

    def _authenticate(self, kind: int) -> Generator[int, bytes, None]:
        if kind == SecurityType.VNC_AUTHENTICATION:
            self.state = State.CHALLENGE
            self._send(vnc_response(self._password or "", (yield CHALLENGE)))
        elif kind == SecurityType.PLAIN:
            self._send(plain_credentials(self._username or "", self._password or ""))

    def _choose(self, offered: list[int], *, inside: bool = False) -> int:
        """Choose the first of the accepted types that is offered, and for which we have all.

        What has been chosen once is final: if VeNCrypt then lacks all of our types, nothing
        weaker from outside of it is tried.
        """
        to_be_had = set(offered) & set(INSIDE_VENCRYPT) if inside else set(offered)
        if not inside:
            to_be_had -= set(INSIDE_VENCRYPT)
            if SecurityType.VENCRYPT in offered:
                to_be_had |= set(INSIDE_VENCRYPT)
        wanted = [kind for kind in self._accepted if kind in to_be_had]
        for kind in wanted:
            lacks_username = kind in WANTS_USERNAME and self._username is None
            if not (lacks_username or (kind in WANTS_PASSWORD and self._password is None)):
                return kind
        if wanted:
            if self._password is not None:
                raise AuthenticationError(
                    "the server wants a user name", remedy="give it: ?username=...&password=..."
                )
            raise AuthenticationError(
                "the server wants a password",
                remedy="give the password: vnc://host:5900?password=...",
            )
        where = " inside VeNCrypt" if inside else ""
        raise AuthenticationError(
            f"the server offers security types {offered}{where}; accepted are {self._accepted}",
            remedy=f"it offers {security_names(offered)}; accepted, in this order: "
            f"{security_names(self._accepted)}; ?security= changes that",
        )

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
