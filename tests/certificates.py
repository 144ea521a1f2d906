"""Certificates made on the spot: an authority, and servers that it vouches for or does not."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


@dataclass
class Certificate:
    cert: Path
    key: Path
    pin: str


class Authority:
    """Signs certificates; its own is `ca`."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        limits = x509.BasicConstraints(ca=True, path_length=None)
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        own = (
            self._builder(self._name, self._key.public_key(), datetime.now(UTC) + DAY)
            .add_extension(limits, critical=True)
            .add_extension(usage, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.ca = folder / f"{name}.pem"
        self.ca.write_bytes(own.public_bytes(serialization.Encoding.PEM))

    def sign(
        self, name: str = "127.0.0.1", *, expired: bool = False, old: bool = False
    ) -> Certificate:
        """Make a certificate for a name or an address; an old one has a key of RSA."""
        key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
        key = ec.generate_private_key(ec.SECP256R1())
        if old:
            key = rsa.generate_private_key(65537, 2048)
        try:
            subject: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
        except ValueError:
            subject = x509.DNSName(name)
        end = datetime.now(UTC) + (-DAY if expired else DAY)
        own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = (
            self._builder(own, key.public_key(), end)
            .add_extension(x509.SubjectAlternativeName([subject]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )
        stem = f"{name}-{expired}-{old}"
        made = Certificate(self._folder / f"{stem}.crt", self._folder / f"{stem}.key", "")
        made.cert.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        made.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        der = certificate.public_bytes(serialization.Encoding.DER)
        made.pin = f"sha256:{sha256(der).hexdigest()}"
        return made

    def _builder(self, subject, public_key, end):
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(end - 5 * DAY)
            .not_valid_after(end)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        )
