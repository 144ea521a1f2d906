"""Where on this machine those things lie that are not ours to ship: the Flash player, and games.

`auniverse fetch ruffle` brings the player; games are put onto the shelf by hand.
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path

from auniverse.errors import MissingDependencyError, ProvisionError

#: The environment variables that name other places.
RUFFLE_VARIABLE = "AUNIVERSE_RUFFLE"
GAMES_VARIABLE = "AUNIVERSE_FLASHGAMES"

#: The npm package of the player, and the SHA-512 of that version's archive.
RUFFLE_PACKAGE = "@ruffle-rs/ruffle@0.6.0"
RUFFLE_SHA512 = (
    "3f65f5cc310d06888bb766633dcb14cda0f1a11edf545d9ed54fdb8bb85b2004"
    "048e4ca4c658d2a06f0081bcb01ef9555732fd639b4864c46a0f0226df58e03c"
)
#: What is needed of it: the loader, and the build for browsers with today's WebAssembly.
RUFFLE_FILES = (
    "ruffle.js",
    "core.ruffle.c80159b526e567babaf5.js",
    "826bb0938097485a2c9d.wasm",
    "LICENSE_APACHE",
    "LICENSE_MIT",
)


def ruffle_folder() -> Path:
    """Return where the player is looked for."""
    chosen = os.environ.get(RUFFLE_VARIABLE)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    version = RUFFLE_PACKAGE.rpartition("@")[2]
    return Path(chosen) if chosen else cache / "auniverse" / f"ruffle-{version}"


def games_folder() -> Path:
    """Return where a user's games are looked for."""
    chosen = os.environ.get(GAMES_VARIABLE)
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return Path(chosen) if chosen else data / "auniverse" / "flashgames"


def ruffle_files() -> Mapping[str, Path]:
    """Return the player's files by their names.

    Raises:
        MissingDependencyError: They are not there.
    """
    folder = ruffle_folder()
    files = {name: folder / name for name in RUFFLE_FILES}
    if missing := [name for name, path in files.items() if not path.is_file()]:
        raise MissingDependencyError(
            f"the Flash player Ruffle is not in {folder} (no {missing[0]}): auniverse fetch ruffle"
        )
    return files


def unpack_ruffle(archive: bytes) -> Path:
    """Put the player of an npm archive where it is looked for; return that place.

    Raises:
        ProvisionError: The archive is another one, or nothing can be written there.
    """
    if hashlib.sha512(archive).hexdigest() != RUFFLE_SHA512:
        raise ProvisionError(f"this is not the archive of {RUFFLE_PACKAGE}: its SHA-512 differs")
    folder = ruffle_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            for name in RUFFLE_FILES:
                member = tar.extractfile(f"package/{name}")
                assert member is not None  # the hash says what is in it
                part = folder / f".{name}.{os.getpid()}"
                part.write_bytes(member.read())
                part.replace(folder / name)
    except OSError as error:
        raise ProvisionError(f"cannot write the player to {folder}: {error}") from error
    return folder
