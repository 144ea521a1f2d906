"""Whose containers are whose: an owner's key, the passwords that follow from it, and claims.

The key is a random file in the user's state folder. Its fingerprint labels what we start, so that
we find it again and never touch anything else. The passwords of a container follow from the key and
the container's (random) name: another process of the same user can reach it, nobody else, and
neither the engine nor a file ever holds them. A claim is a lock on a file: it ends with the process
that holds it, however that dies, and so two clients never use one remote.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from auniverse.errors import ProvisionError


class Passwords(NamedTuple):
    """What a container lets in; VNC looks at 8 characters only (RFC 6143 §7.2.2)."""

    vnc: str
    rewarder: str


class Owner:
    """A user of this machine, as the containers' labels know them.

    Attributes:
        name: The fingerprint of the key; no secret.
    """

    def __init__(self, folder: Path, key: bytes) -> None:
        self._folder = folder
        self._key = key
        self.name = hashlib.sha256(b"owner" + key).hexdigest()[:16]

    def passwords(self, container: str) -> Passwords:
        """Return the passwords of the container of that name."""
        digest = hmac.digest(self._key, container.encode(), "sha256")
        text = base64.urlsafe_b64encode(digest).decode()
        return Passwords(text[:8], text[8:40])

    def seed(self, container: str) -> bytes:
        """Return 32 secret bytes of the container of that name, that its key is made of."""
        return hmac.digest(self._key, b"certificate of " + container.encode(), "sha256")

    def claim(self, container: str) -> Claim | None:
        """Make a container ours for as long as this process lives; None: somebody has it.

        Raises:
            ProvisionError: The state folder cannot be written.
        """
        path = self._folder / container
        while True:
            try:
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            except OSError as error:
                raise _unwritable(self._folder, error) from error
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(descriptor).st_nlink:
                    return Claim(path, descriptor)
            except BlockingIOError:
                os.close(descriptor)
                return None
            os.close(descriptor)  # it was taken away between our two calls


class Claim:
    """A container that is ours until `release`."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor: int | None = descriptor

    def release(self) -> None:
        """Let others have it. Twice is once."""
        if self._descriptor is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None


def find_owner(environ: Mapping[str, str]) -> Owner:
    """Return who we are here; the first time a key is made.

    Raises:
        ProvisionError: The state folder cannot be written.
    """
    state = environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    folder = Path(state) / "auniverse" / "docker"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Owner(folder, _key(folder / "owner.key"))
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(folder: Path, error: OSError) -> ProvisionError:
    return ProvisionError(
        f"cannot keep what is ours in {folder}: {error.strerror} (XDG_STATE_HOME says where to)"
    )


def _key(path: Path) -> bytes:
    """Return the key in a file; of several processes that make it at once, one wins."""
    if not path.exists():
        fresh = path.with_name(f"owner.{secrets.token_hex(4)}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(32))
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_bytes()
