"""Images: what is in them, and how they come to an engine. They are never fetched unasked."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
import ssl
import tarfile
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import aiodocker

from auniverse.errors import MissingDependencyError, ProvisionError, UsageError
from auniverse.runtimes import Runtime, runtimes
from auniverse.shelf import ruffle_files

from .engine import Engine, complaint, speaking
from .recipe import PREFIX

#: The label with a hash of everything that an image was built from.
CONTENT = f"{PREFIX}content"
#: The label with the engine's time when the build began.
BEGUN = f"{PREFIX}begun"
_PACKAGE = Path(__file__).parents[2]
_DOCKERFILES = _PACKAGE / "images"
#: The authorities that this machine trusts, for the stage in which packages are fetched.
_AUTHORITIES = "ca.crt"
#: What of this package goes along: nothing that was compiled here.
_OURS = (".js", ".py", ".swf", ".yml")
#: What is said to the build if it is set here: where packages come from, and through whom.
_ARGUMENTS = ("PIP_INDEX_URL", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
#: How a Dockerfile names an image of ours that it begins with, and what of ours it holds.
_PARENT = re.compile(r"^FROM (auniverse/([a-z0-9-]+):\S+)", re.MULTILINE)
_HOLDS_US = re.compile(r"^COPY auniverse ", re.MULTILINE)
_HOLDS_RUFFLE = re.compile(r"^COPY ruffle ", re.MULTILINE)

#: Called with one line after the other of what a build or a pull says.
Progress = Callable[[str], None]


class Image(NamedTuple):
    """An image that an engine has.

    Attributes:
        name: Name and tag.
        id: The engine's id of it.
        size: Bytes.
        fresh: Whether it was built just now.
    """

    name: str
    id: str
    size: int
    fresh: bool = False


class Built(NamedTuple):
    """An image of ours that an engine has.

    Attributes:
        name: Name and tag.
        size: Bytes, those of its parent included.
        seconds: What its last build took, without its parent's; None: it was not built here.
        current: Whether it is what `build` would build now.
    """

    name: str
    size: int
    seconds: float | None
    current: bool


def name_of(runtime: Runtime, docker_image: str | None = None) -> str:
    """Return name and tag of a runtime's image, or of the one that takes its place.

    Raises:
        UsageError: The runtime has none.
    """
    if docker_image is not None:
        return docker_image if ":" in docker_image.rpartition("/")[2] else f"{docker_image}:latest"
    if not runtime.image:
        raise UsageError(f"{runtime.name} has no image; docker_image= names one")
    return f"{runtime.image}:{runtime.tag}"


async def find_image(engine: Engine, runtime: Runtime, docker_image: str | None = None) -> Image:
    """Return the image that containers of a runtime are made of.

    Raises:
        ProvisionError: The engine does not have it, or it cannot be a remote; the message says
            what to do.
        UsageError: The runtime has none.
    """
    name = name_of(runtime, docker_image)
    seen = await inspect(engine, name)
    if seen is None:
        if docker_image is not None:
            ways = f"`docker pull {name}` pulls it"
        elif _has_dockerfile(runtime):
            ways = f"`auniverse build {runtime.name}` builds it, `auniverse pull {runtime.name}` "
            ways += "pulls it"
        else:
            ways = f"`docker build -t {name} FOLDER` builds it out of a Dockerfile of yours"
        raise ProvisionError(f"the engine has no image {name}: {ways}")
    exposed = seen["Config"].get("ExposedPorts") or {}
    for port in (runtime.vnc_port, runtime.rewarder_port):
        if f"{port}/tcp" not in exposed:
            raise ProvisionError(
                f"the image {name} exposes no port {port}: it is no remote of {runtime.name} "
                "(its Dockerfile needs EXPOSE, or runtimes.yml other ports)"
            )
    return Image(name, seen["Id"], seen["Size"])


def _has_dockerfile(runtime: Runtime) -> bool:
    return (_DOCKERFILES / runtime.name / "Dockerfile").is_file()


async def inspect(engine: Engine, name: str) -> dict[str, Any] | None:
    """Return what the engine knows of an image; None: it does not have it."""
    with speaking(f"cannot look for the image {name}"):
        try:
            return await engine.docker.images.inspect(name)
        except aiodocker.DockerError as error:
            if error.status == 404:
                return None
            raise


async def build(engine: Engine, runtime: Runtime, progress: Progress, *, anew: bool) -> Image:
    """Build a runtime's image from this installed package.

    Args:
        engine: Where.
        runtime: Whose.
        progress: Gets what the build says.
        anew: Build even where nothing has changed since the last time.

    Raises:
        ProvisionError: The build failed; the message ends with what it said last.
        UsageError: The runtime has no image, or no Dockerfile.
    """
    name = name_of(runtime)
    if not _has_dockerfile(runtime):
        known = ", ".join(sorted(path.parent.name for path in _DOCKERFILES.glob("*/Dockerfile")))
        raise UsageError(f"there is no Dockerfile for {runtime.name}; there are: {known}")
    return await _build(engine, runtime.name, name, progress, anew=anew)


async def _build(
    engine: Engine, folder: str, name: str, progress: Progress, *, anew: bool
) -> Image:
    """Build what a folder of ours describes, and before that what it begins with."""
    if parent := parent_of(folder):
        await _build(engine, parent[1], parent[0], progress, anew=anew)
    digest = await _digest(engine, folder)
    seen = await inspect(engine, name)
    if seen and not anew and (seen["Config"].get("Labels") or {}).get(CONTENT) == digest:
        progress(f"{name} is up to date")
        return Image(name, seen["Id"], seen["Size"])
    with speaking("cannot ask the engine for its time"):
        begun = (await engine.docker.system.info())["SystemTime"]
    steps = engine.docker.images.build(
        fileobj=io.BytesIO(gzip.compress(context(folder, authorities()), 1)),
        encoding="gzip",
        path_dockerfile=f"{folder}/Dockerfile",
        tag=name,
        labels={CONTENT: digest, f"{PREFIX}runtime": folder, BEGUN: begun},
        buildargs={key: os.environ[key] for key in _ARGUMENTS if key in os.environ},
        forcerm=True,
        nocache=anew,
        stream=True,
    )
    await listen(f"cannot build {name}", steps, progress)
    seen = await inspect(engine, name)
    if seen is None:
        raise ProvisionError(f"cannot build {name}: the engine has it not, and did not say why")
    return Image(name, seen["Id"], seen["Size"], fresh=True)


async def list_built(engine: Engine) -> list[Built]:
    """Return those images that `build` knows how to build and the engine has, parents first.

    Raises:
        ProvisionError: The engine does not answer.
    """
    lines = [
        [(name_of(runtime), runtime.name)] for runtime in runtimes() if _has_dockerfile(runtime)
    ]
    for line in lines:
        while parent := parent_of(line[0][1]):
            line.insert(0, parent)
    found = []
    for name, folder in dict(image for line in lines for image in line).items():
        seen = await inspect(engine, name)
        if seen is not None:
            labels = seen["Config"].get("Labels") or {}
            try:
                current = labels.get(CONTENT) == await _digest(engine, folder)
            except MissingDependencyError:  # something that it holds is no longer here
                current = False
            found.append(Built(name, seen["Size"], build_time(seen, labels), current))
    return found


def build_time(seen: Mapping[str, Any], labels: Mapping[str, str]) -> float | None:
    """Return the seconds from a build's beginning to its image, both in the engine's time."""
    try:
        begun = datetime.fromisoformat(labels[BEGUN])
        return (datetime.fromisoformat(seen["Created"]) - begun).total_seconds()
    except (KeyError, ValueError):
        return None


def parent_of(folder: str) -> tuple[str, str] | None:
    """Return the name of the image of ours that another begins with, and its folder."""
    found = _PARENT.search((_DOCKERFILES / folder / "Dockerfile").read_text())
    return (found[1], found[2]) if found else None


async def _digest(engine: Engine, folder: str) -> str:
    """Return a hash of what an image is built from, of which its parent is a part."""
    parent = parent_of(folder)
    below = await inspect(engine, parent[0]) if parent else None
    return hashlib.sha256(context(folder) + (below["Id"].encode() if below else b"")).hexdigest()


async def pull(engine: Engine, runtime: Runtime, progress: Progress) -> Image:
    """Pull a runtime's image from where its name says.

    Raises:
        ProvisionError: There is none, or it cannot be reached.
        UsageError: The runtime has no image.
    """
    name = name_of(runtime)
    repository, _, tag = name.rpartition(":")
    pulled = engine.docker.images.pull(repository, tag=tag, stream=True)
    await listen(
        f"cannot pull {name} (`auniverse build {runtime.name}` builds it)", pulled, progress
    )
    return await find_image(engine, runtime)


async def listen(what: str, steps: AsyncIterator[dict[str, Any]], progress: Progress) -> None:
    """Pass on what an engine says while it works, and raise what it complains of."""
    last: list[str] = []
    with speaking(what):
        try:
            async for step in steps:
                if error := step.get("error"):
                    raise ProvisionError(f"{what}: {complaint(error)}{_ending(last)}")
                text = step.get("stream") or step.get("status") or ""
                where, how = step.get("id", ""), step.get("progress", "")
                for line in f"{where} {text.strip()} {how}".strip().splitlines():
                    last[:] = [*last[-9:], line]
                    progress(line)
        except aiodocker.DockerError as error:
            raise ProvisionError(f"{what}: {complaint(error.message)}{_ending(last)}") from error


def _ending(lines: list[str]) -> str:
    return "; it ended with:\n" + "\n".join(lines) if lines else ""


def context(folder: str, trusted: bytes = b"") -> bytes:
    """Return what an image is built from, as a tar that depends on the contents alone.

    That is the folder of its Dockerfile, this package (if that takes it) without what was compiled
    for this machine, the Flash player (likewise), and `trusted`, which no image keeps.

    Raises:
        MissingDependencyError: The player is wanted, and not here.
    """
    files = {_AUTHORITIES: trusted}
    for path in (_DOCKERFILES / folder).rglob("*"):
        if path.is_file():
            files[path.relative_to(_DOCKERFILES).as_posix()] = path.read_bytes()
    dockerfile = files[f"{folder}/Dockerfile"].decode()
    holds_us = _HOLDS_US.search(dockerfile) is not None
    for name, path in ruffle_files().items() if _HOLDS_RUFFLE.search(dockerfile) else ():
        files[f"ruffle/{name}"] = path.read_bytes()
    for path in _PACKAGE.rglob("*") if holds_us else ():
        inner = path.relative_to(_PACKAGE)
        if path.is_file() and inner.parts[0] != "images" and path.suffix in _OURS:
            files[f"auniverse/{inner.as_posix()}"] = path.read_bytes()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, data in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o644
            tar.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


def authorities() -> bytes:
    """Return the certificates that this machine trusts, for networks that have their own."""
    paths = ssl.get_default_verify_paths()
    for place in (os.environ.get("PIP_CERT"), os.environ.get("SSL_CERT_FILE"), paths.cafile):
        if place and Path(place).is_file():
            return Path(place).read_bytes()
    return b""
