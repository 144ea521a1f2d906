"""TLS as a client: whom to trust, and what to say when trust is not earned."""

from __future__ import annotations

import hmac
import ssl
from functools import lru_cache
from pathlib import Path

from auniverse.address import Route, pin_of
from auniverse.errors import AuthenticationError, ProtocolError, RemoteError, UsageError

#: Anonymous Diffie-Hellman, which OpenSSL hides at its usual level of security.
_ANONYMOUS_CIPHERS = "ADH+HIGH:AECDH+HIGH:!eNULL:@SECLEVEL=0"
#: By OpenSSL's verify code: what to do.
_REMEDIES = {
    9: "its certificate is from the future: check both clocks",
    10: "have the server's certificate renewed",
    62: "use the name that is in the certificate, or pin it: ?pin=sha256:...",
    64: "use the name that is in the certificate, or pin it: ?pin=sha256:...",
}
_UNKNOWN_ISSUER = "give the authority, ?ca=/path.pem, or pin the certificate, ?pin=sha256:..."
#: OpenSSL's words for an answer that is no TLS at all.
_NO_TLS = {"WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"}


class PinError(ssl.SSLCertVerificationError):
    """Not the pinned certificate."""


def client_context(route: Route, *, anonymous: bool = False) -> ssl.SSLContext:
    """Return what a TLS connection to a remote is opened with.

    Args:
        route: Holds the authorities and the pin.
        anonymous: For servers without a certificate, which the caller has accepted by name.

    Raises:
        UsageError: The file of authorities cannot be read.
    """
    if anonymous:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # 1.3 has certificates always
        context.set_ciphers(_ANONYMOUS_CIPHERS)
        return context
    try:
        ca = Path(route.ca).expanduser() if route.ca else None
        return _trusting(ca, route.pin, ca.stat().st_mtime_ns if ca else 0)
    except OSError as error:  # ssl.SSLError is one too: a file without certificates
        reason = error.strerror if not isinstance(error, ssl.SSLError) else "no certificate in PEM"
        raise UsageError(f"ca={route.ca}: {reason}") from error


@lru_cache(maxsize=16)  # reading all of the system's authorities takes longer than a frame
def _trusting(ca: Path | None, pin: str, written: int) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if pin:
        if not ca:  # the certificate itself is known, so nobody has to vouch for it
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        context.sslobject_class = _pinned(pin)
    return context


def _pinned(pin: str) -> type[ssl.SSLObject]:
    """Return TLS whose handshake fails for any other certificate.

    So nobody who is given the context can forget the check, or send a password before it.
    """

    class Pinned(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            certificate = self.getpeercert(binary_form=True) or b""
            found = pin_of(certificate)
            if not hmac.compare_digest(found, pin):
                raise PinError(f"its certificate is {found}, pinned is {pin}")

    return Pinned


def tls_error(error: ssl.SSLError, remote: str = "") -> RemoteError:
    """Return what a failed handshake of TLS means; a link fills in the remote that is not given."""
    if isinstance(error, PinError):
        return AuthenticationError(
            f"the server is not the one that was pinned: {error.args[0]}",
            remote=remote,
            remedy="if its certificate was changed on purpose, change the pin of the address",
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        return AuthenticationError(
            f"the server's certificate is not to be trusted: {error.verify_message}",
            remote=remote,
            remedy=_REMEDIES.get(error.verify_code, _UNKNOWN_ISSUER),
        )
    reason = getattr(error, "reason", None)  # absent from those that Python itself makes
    if reason in _NO_TLS:
        return ProtocolError(
            "what answers does not speak TLS",
            remote=remote,
            remedy="if the server is without TLS, its address begins with vnc://",
        )
    words = (reason or str(error)).lower().replace("_", " ")
    return AuthenticationError(
        f"TLS failed: {words}",
        remote=remote,
        remedy="server and client share no way to begin TLS",
    )
