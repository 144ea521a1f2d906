"""The certificate that a host shows."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import NamedTuple, Self

from auniverse.address import pin_of
from auniverse.errors import UsageError


class Certificate(NamedTuple):
    """A certificate, ready to be shown.

    Attributes:
        context: For servers, TLS 1.2 and later.
        pin: "sha256:" and 64 hex digits, for the addresses of clients.
        files: Where it and its key are, for other programs that show it.
    """

    context: ssl.SSLContext
    pin: str
    files: tuple[str, str]

    @classmethod
    def load(cls, certificate: str, key: str) -> Self:
        """Read a certificate (with its chain) and its key, both in PEM.

        Raises:
            UsageError: A file cannot be read, is no PEM, or the two do not belong together.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            # An empty password, since OpenSSL would ask the terminal for that of a locked key.
            context.load_cert_chain(certificate, key, password="")
            text = Path(certificate).read_text("ascii", "replace")
        except OSError as error:  # ssl.SSLError is one
            raise UsageError(f"certificate {certificate}, key {key}: {error}") from error
        first = text[text.index(_BEGIN) : text.index(_END) + len(_END)]
        pin = pin_of(ssl.PEM_cert_to_DER_cert(first))
        return cls(context, pin, (certificate, key))

    def client_context(self) -> ssl.SSLContext:
        """Return what a client opens TLS with that knows where it connects to: on this machine."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context


_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
