"""The server's part of the handshake (RFC 6143 §7.1 to §7.2), up to the client's ClientInit."""

from __future__ import annotations

from collections.abc import Callable, Generator

from auniverse.errors import AuthenticationError, RFBError

from .security import CHALLENGE, vnc_response_fits
from .types import SecurityType
from .vencrypt import PAUSE, VENCRYPT_VERSION

Version = tuple[int, int]

_OK, _FAILED = b"\0\0\0\0", b"\0\0\0\1"
_REASON = b"wrong password"
_TOO_OLD = b"this server wants TLS, which RFB 3.3 cannot choose"


def greet(
    send: Callable[[bytes], None], password: str | None, challenge: bytes, *, tls: bool = False
) -> Generator[int, bytes, Version]:
    """Agree on a version and let the viewer in, or not.

    There is one kind of security, so there is no way around a password and none down from it.

    Args:
        send: Takes bytes for the viewer.
        password: What it must know; None lets everybody in.
        challenge: 16 random bytes.
        tls: Whether nothing is shown outside TLS, for which the server has a certificate.

    Yields:
        How many bytes it needs from the viewer next; it is sent just those. PAUSE: that TLS begin.

    Returns:
        The version: (3, 3), (3, 7) or (3, 8).

    Raises:
        RFBError: What the viewer says is no handshake.
        AuthenticationError: The password is wrong; the viewer has been told.
    """
    send(b"RFB 003.008\n")
    version = _version((yield 12))
    kind = SecurityType.NONE if password is None else SecurityType.VNC_AUTHENTICATION
    if tls:
        yield from _begin_tls(send, version, password)
    elif version == (3, 3):
        send(kind.to_bytes(4, "big"))
    else:
        send(bytes([1, kind]))
        picked = (yield 1)[0]
        if picked != kind:
            raise RFBError(f"security type {picked}, offered was {kind}")
    if password is not None:
        send(challenge)
        if not vnc_response_fits(password, challenge, (yield CHALLENGE)):
            send(_FAILED)
            if version == (3, 8):
                send(len(_REASON).to_bytes(4, "big") + _REASON)
            raise AuthenticationError("the viewer gave a wrong password")
    if password is not None or version == (3, 8) or tls:
        send(_OK)
    return version


def _begin_tls(
    send: Callable[[bytes], None], version: Version, password: str | None
) -> Generator[int, bytes, None]:
    """Offer VeNCrypt 0.2 and nothing else, with one type inside."""
    if version == (3, 3):  # it cannot choose, and so cannot choose TLS
        send(bytes(4) + len(_TOO_OLD).to_bytes(4, "big") + _TOO_OLD)
        raise RFBError("the viewer speaks RFB 3.3, which has no TLS")
    send(bytes([1, SecurityType.VENCRYPT]))
    if (picked := (yield 1)[0]) != SecurityType.VENCRYPT:
        raise RFBError(f"security type {picked}, offered was {SecurityType.VENCRYPT}")
    send(VENCRYPT_VERSION)
    if (spoken := (yield 2)) != VENCRYPT_VERSION:
        send(b"\xff")
        raise RFBError(f"VeNCrypt {spoken[0]}.{spoken[1]}; spoken is 0.2")
    kind = SecurityType.X509_NONE if password is None else SecurityType.X509_VNC
    send(b"\0\1" + kind.to_bytes(4, "big"))
    if (picked := int.from_bytes((yield 4), "big")) != kind:
        send(b"\0")
        raise RFBError(f"security type {picked} of VeNCrypt, offered was {kind}")
    send(b"\1")
    yield PAUSE


def _version(line: bytes) -> Version:
    if not (line[:8] == b"RFB 003." and line[8:11].isdigit() and line[11:] == b"\n"):
        raise RFBError(f"version {line!r}")
    minor = int(line[8:11])
    # 3.5 was never published and means 3.3 (RFC 6143 §7.1.1); 3.889 and the like mean 3.8.
    return (3, 8 if minor >= 8 else 7 if minor == 7 else 3)
