"""VNC authentication (RFC 6143 §7.2.2), and the words of VeNCrypt 0.2.

VNC authentication is a 16-byte challenge, encrypted with the password. It keeps honest people out
and no one else: DES, 8 characters, nothing after it is encrypted. VeNCrypt (security type 19) is a
second round of choosing, whose types begin with TLS and go on with one of the old types inside.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from .types import SecurityType

#: Length of the challenge and of the response, in bytes.
CHALLENGE = 16
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


_MIRRORED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))


def vnc_response(password: str, challenge: bytes) -> bytes:
    """Return the 16-byte response to a 16-byte challenge.

    Only the first 8 bytes of the password's UTF-8 count.

    Raises:
        ValueError: The challenge has another length.
    """
    if len(challenge) != CHALLENGE:
        raise ValueError(f"a challenge of {len(challenge)} bytes instead of {CHALLENGE}")
    from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
    from cryptography.hazmat.primitives.ciphers import Cipher, modes

    # DES is triple DES with one key thrice; every byte of the key is mirrored, a mistake of the
    # first VNC that the protocol has kept.
    key = password.encode()[:8].ljust(8, b"\0").translate(_MIRRORED)
    encryptor = Cipher(TripleDES(key * 3), modes.ECB()).encryptor()
    return encryptor.update(bytes(challenge)) + encryptor.finalize()


def vnc_response_fits(password: str, challenge: bytes, response: bytes) -> bool:
    """Tell, in constant time, whether `response` answers `challenge` with `password`."""
    return hmac.compare_digest(vnc_response(password, challenge), bytes(response))
