"""VNC authentication (RFC 6143 §7.2.2): a 16-byte challenge, encrypted with the password.

It keeps honest people out and no one else: DES, 8 characters, nothing after it is encrypted.
"""

from __future__ import annotations

import hmac

#: Length of the challenge and of the response, in bytes.
CHALLENGE = 16

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


def obscured(password: str) -> bytes:
    """Return the 8 bytes as which VNC servers keep a password in a file.

    Its key is the same everywhere and known to everybody: the file's permissions protect it.
    """
    padded = password.encode()[:8].ljust(8, b"\0")
    return vnc_response("\x17Rk\x06#NX\x07", padded * 2)[:8]
