"""Images on their way from one engine to others: in a file, or through a registry."""

from __future__ import annotations

import asyncio
import os
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import IO

from auniverse.errors import ProvisionError, UsageError

from .credentials import login, registry_of
from .engine import Engine, speaking
from .images import Progress, inspect, listen

_CHUNK = 1 << 18
_GZIP = 31  # what zlib calls its largest window with gzip's frame around it


async def has_image(engine: Engine, name: str) -> bool:
    """Tell whether an engine has an image; ProvisionError: it does not answer."""
    return await inspect(engine, name) is not None


async def export_image(engine: Engine, name: str, file: Path) -> None:
    """Write an image into a file, compressed.

    Raises:
        ProvisionError: The engine has it not, or refuses.
    """
    if not await has_image(engine, name):
        raise ProvisionError(f"the engine has no image {name}: `auniverse build` makes it")
    press = zlib.compressobj(1, zlib.DEFLATED, _GZIP)
    with file.open("wb") as out, speaking(f"cannot export {name}"):
        async with engine.docker.images.export_image(name) as stream:
            async for data in stream.iter_chunked(_CHUNK):
                out.write(await asyncio.to_thread(press.compress, data))
        out.write(press.flush())


async def load_image(engine: Engine, file: Path, progress: Callable[[float], None]) -> None:
    """Load what `export_image` wrote into another engine.

    Args:
        engine: That one.
        file: What was written.
        progress: Told at each tenth which share of the file is gone.

    Raises:
        ProvisionError: The engine refuses.
    """
    with file.open("rb") as source:
        size = os.fstat(source.fileno()).st_size
        chunks = _chunks(source, size, progress)
        steps = engine.docker.images.import_image(chunks, stream=True)
        await listen("cannot load an image", steps, lambda line: None)


async def push_image(
    engine: Engine,
    name: str,
    registry: str,
    progress: Progress,
    environ: Mapping[str, str] = os.environ,
) -> str:
    """Push an image to a registry and return its name there.

    Args:
        engine: Has the image.
        name: Name and tag of the image here.
        registry: Such as "registry.example.com:5000/team".
        progress: Gets what the engine says.
        environ: Says where `docker login` keeps credentials (DOCKER_CONFIG).

    Raises:
        ProvisionError: It is not here, or the registry refuses.
        UsageError: That is no registry.
    """
    host = registry_of(f"{registry}/")
    if not host or "://" in registry:
        raise UsageError(
            f"{registry!r} is no registry: a host (with a dot or a port), and a path if there is "
            "one, such as registry.example.com:5000/team"
        )
    if not await has_image(engine, name):
        raise ProvisionError(f"the engine has no image {name}: `auniverse build` makes it")
    repository, _, tag = name.rpartition(":")
    there = f"{registry.rstrip('/')}/{repository}"
    with speaking(f"cannot name {there}:{tag}"):
        await engine.docker.images.tag(name, there, tag=tag)
    auth = login(host, environ)
    steps = engine.docker.images.push(there, auth=auth, tag=tag, stream=True)
    await listen(f"cannot push {there}:{tag}", steps, progress)
    return f"{there}:{tag}"


async def pull_image(
    engine: Engine, name: str, progress: Progress, environ: Mapping[str, str] = os.environ
) -> None:
    """Have an engine pull what `push_image` pushed, with the credentials of this machine.

    Args:
        engine: Where it is wanted.
        name: Name and tag, which begin with a registry.
        progress: Gets what the engine says.
        environ: See `push_image`.

    Raises:
        ProvisionError: The engine does not reach the registry, or that refuses.
    """
    auth = login(registry_of(name), environ)
    steps = engine.docker.images.pull(name, auth=auth, stream=True)
    await listen(f"cannot pull {name}", steps, progress)


async def _chunks(
    source: IO[bytes], size: int, progress: Callable[[float], None]
) -> AsyncIterator[bytes]:
    """Give a file bit by bit, and tell at each tenth how much of it is gone."""
    sent = tenths = 0
    while data := source.read(_CHUNK):
        yield data
        sent += len(data)
        if sent * 10 // size > tenths:
            tenths = sent * 10 // size
            progress(sent / size)
