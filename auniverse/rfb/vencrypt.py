"""The words of VeNCrypt 0.2, and the names of all security types that a client can accept.

VeNCrypt (security type 19) is a second round of choosing. Its types begin with TLS and go on,
inside of it, with one of the old types or with a plain user name and password.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from .types import SecurityType

#: The version of VeNCrypt that is spoken; nobody has published another since.
VENCRYPT_VERSION = b"\0\2"
#: What a handshake asks for instead of a number of bytes: that something be done to the connection.
PAUSE = -1

#: What people call the types that a client can be told to accept.
SECURITY_NAMES: Mapping[str, SecurityType] = MappingProxyType(
    {
        "none": SecurityType.NONE,
        "vncauth": SecurityType.VNC_AUTHENTICATION,
        "apple": SecurityType.APPLE,
        "plain": SecurityType.PLAIN,
        "tlsnone": SecurityType.TLS_NONE,
        "tlsvnc": SecurityType.TLS_VNC,
        "tlsplain": SecurityType.TLS_PLAIN,
        "x509none": SecurityType.X509_NONE,
        "x509vnc": SecurityType.X509_VNC,
        "x509plain": SecurityType.X509_PLAIN,
    }
)
#: The types of VeNCrypt, and how each goes on once it is encrypted.
INSIDE_VENCRYPT: Mapping[int, SecurityType] = MappingProxyType(
    {
        SecurityType.PLAIN: SecurityType.PLAIN,
        SecurityType.TLS_NONE: SecurityType.NONE,
        SecurityType.TLS_VNC: SecurityType.VNC_AUTHENTICATION,
        SecurityType.TLS_PLAIN: SecurityType.PLAIN,
        SecurityType.X509_NONE: SecurityType.NONE,
        SecurityType.X509_VNC: SecurityType.VNC_AUTHENTICATION,
        SecurityType.X509_PLAIN: SecurityType.PLAIN,
    }
)
#: TLS without a certificate.
ANONYMOUS = frozenset({SecurityType.TLS_NONE, SecurityType.TLS_VNC, SecurityType.TLS_PLAIN})
WANTS_USERNAME = frozenset(
    {SecurityType.APPLE, SecurityType.PLAIN, SecurityType.TLS_PLAIN, SecurityType.X509_PLAIN}
)
WANTS_PASSWORD = WANTS_USERNAME | {
    SecurityType.VNC_AUTHENTICATION,
    SecurityType.TLS_VNC,
    SecurityType.X509_VNC,
}


def security_names(kinds: Iterable[int]) -> str:
    """Return "x509vnc, vncauth" for the numbers of those types, in their order."""
    names = {int(kind): name for name, kind in SECURITY_NAMES.items()}
    names[SecurityType.VENCRYPT] = "vencrypt"
    return ", ".join(names.get(kind, f"type {kind}") for kind in kinds)


def plain_credentials(username: str, password: str) -> bytes:
    """Return what the Plain types send: both lengths, then both in UTF-8."""
    parts = username.encode(), password.encode()
    return b"".join([*(len(part).to_bytes(4, "big") for part in parts), *parts])
