"""The certificate of a remote, which follows from its owner's key as its passwords do.

It is signed by its own key, with Ed25519, whose signatures hold nothing random: the same seed makes
the same bytes, here and in any other process of the same user. So nobody has to keep it, and its
pin is known before the remote runs.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from auniverse.address import pin_of

#: The dates say nothing, since it is pinned: from long ago until "no well-defined expiration date"
#: (RFC 5280 §4.1.2.5).
_SINCE = datetime(2000, 1, 1, tzinfo=UTC)
_UNTIL = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


class Certificate(NamedTuple):
    """A certificate with its key.

    Attributes:
        pem: Both, in PEM.
        pin: "sha256:" and 64 hex digits, for addresses.
    """

    pem: str
    pin: str


@lru_cache(maxsize=4096)  # an address is asked for at every look
def certificate_of(name: str, seed: bytes) -> Certificate:
    """Return the certificate of the service of that name.

    Args:
        name: The service's.
        seed: 32 secret bytes, of nobody else.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.from_private_bytes(seed)
    own = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(own)
        .issuer_name(own)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(sha256(name.encode()).digest()[:16], "big") + 1)
        .not_valid_before(_SINCE)
        .not_valid_after(_UNTIL)
        .sign(key, None)
    )
    der = made.public_bytes(serialization.Encoding.DER)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    pem = made.public_bytes(serialization.Encoding.PEM) + secret
    return Certificate(pem.decode(), pin_of(der))
