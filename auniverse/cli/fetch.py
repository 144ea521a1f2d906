"""`auniverse fetch`: what remotes run that is not ours to ship."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from auniverse.errors import MissingDependencyError, ProvisionError, UsageError

#: Seconds that npm may take.
PATIENCE = 300


def fetch(
    what: Annotated[str, typer.Argument(help="ruffle, the Flash player.")],
    archive: Annotated[
        Path | None,
        typer.Option("--from", help="npm's archive of it, where this machine has no npm."),
    ] = None,
) -> None:
    """Fetch the Flash player Ruffle, a version that is pinned and checked."""
    from auniverse.shelf import RUFFLE_PACKAGE, ruffle_files, ruffle_folder, unpack_ruffle

    if what != "ruffle":
        raise UsageError(f"{what!r} cannot be fetched; 'ruffle' can")
    try:
        ruffle_files()
    except MissingDependencyError:
        unpack_ruffle(_pack(RUFFLE_PACKAGE) if archive is None else _read(archive))
    typer.echo(f"{RUFFLE_PACKAGE} is in {ruffle_folder()}")


def _pack(package: str) -> bytes:
    """Return npm's archive of a package."""
    import shutil
    import subprocess
    from tempfile import TemporaryDirectory

    npm = shutil.which("npm")
    if npm is None:
        raise MissingDependencyError(
            f"there is no npm here (apt-get install npm). Where there is one, `npm pack {package}` "
            "makes the archive that --from takes"
        )
    with TemporaryDirectory() as folder:
        command = [npm, "pack", "--silent", "--pack-destination", folder, package]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise ProvisionError(f"npm did not fetch {package} within {PATIENCE} s") from None
        packed = list(Path(folder).glob("*.tgz"))
        if done.returncode or not packed:
            raise ProvisionError(f"npm could not fetch {package}:\n{done.stderr[-1000:].strip()}")
        return packed[0].read_bytes()


def _read(archive: Path) -> bytes:
    try:
        return archive.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {archive}: {error}") from None
