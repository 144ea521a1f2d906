"""Images on nodes: pulled from a registry, or streamed to each over SSH.

What is streamed is exported by this machine's engine once, into a compressed file, and goes to each
node that lacks it. One uplink then carries as many copies as there are nodes: for more than a few,
a registry near them is faster.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from auniverse.errors import ProvisionError
from auniverse.remotes import docker

#: Opens the engine of a node by the node's address.
Open = Callable[[str], AbstractAsyncContextManager[docker.Engine]]
#: Called with a node's name and what happens to it.
Progress = Callable[[str, str], None]

#: Nodes that are sent to at once, and that pull at once, which costs this machine nothing.
_AT_ONCE, _PULLS = 4, 32


async def stream_image(
    name: str, nodes: Mapping[str, str], open_node: Open, progress: Progress
) -> list[str]:
    """See to it that nodes have an image, from this machine's engine.

    Args:
        name: Its name and tag.
        nodes: Addresses of the nodes, by their names.
        open_node: Gives the engine of one.
        progress: Told what happens to each.

    Returns:
        The names of the nodes that did not have it.

    Raises:
        ProvisionError: This machine's engine has it not, or a node refuses it.
        RemoteError: A node cannot be reached.
    """
    turns = asyncio.Semaphore(_AT_ONCE)
    lacking: list[str] = []

    async def look(node: str) -> None:
        async with turns, open_node(nodes[node]) as engine:
            if await docker.has_image(engine, name):
                progress(node, f"has {name}")
            else:
                lacking.append(node)

    async def send(node: str, file: Path) -> None:
        async with turns, open_node(nodes[node]) as engine:
            await docker.load_image(
                engine, file, lambda share: progress(node, f"{name}: {share:.0%} sent")
            )
            if not await docker.has_image(engine, name):
                raise ProvisionError(f"{node} took an image and does not have {name} now")
            progress(node, f"{name}: there")

    await _each(look, nodes)
    if lacking:
        with tempfile.TemporaryDirectory(prefix="auniverse-image-") as folder:
            file = Path(folder) / "image.tar.gz"
            async with docker.open_engine() as here:
                await docker.export_image(here, name, file)
            await _each(lambda node: send(node, file), lacking)
    return sorted(lacking)


async def have_pulled(
    name: str, nodes: Mapping[str, str], open_node: Open, progress: Progress, *, anew: bool
) -> None:
    """See to it that nodes have an image that a registry has; each pulls it by itself.

    A swarm's nodes would do so when they first need it, too. Here it is no part of the time that a
    remote may take to boot, and whoever fails says why.

    Args:
        name: Its name and tag, which begin with the registry.
        nodes: Addresses of the nodes, by their names.
        open_node: Gives the engine of one.
        progress: Told what happens to each.
        anew: Whether nodes that have an image of that name pull it, too.

    Raises:
        ProvisionError: Some node has it not and cannot pull it; the message names all of these, the
            image, and what helps.
        RemoteError: A node cannot be reached.
    """
    turns = asyncio.Semaphore(_PULLS)
    failures: dict[str, ProvisionError] = {}

    async def pull(node: str) -> None:
        async with turns, open_node(nodes[node]) as engine:
            if not anew and await docker.has_image(engine, name):
                progress(node, f"has {name}")
                return
            progress(node, f"pulling {name}")
            try:
                await docker.pull_image(engine, name, lambda line: None)
            except ProvisionError as error:
                failures[node] = error
            else:
                progress(node, f"{name}: there")

    await _each(pull, nodes)
    if failures:
        first, *others = sorted(failures)
        also = f", and neither can {', '.join(others)}" if others else ""
        raise ProvisionError(
            f"{first}: {failures[first]}{also}; the nodes must reach the registry "
            f"{docker.registry_of(name)} under this name, and trust it (`docker pull {name}` there "
            "shows whether they do); without a registry the image is streamed to them over SSH"
        ) from failures[first]


async def _each(work: Callable[[str], Awaitable[None]], nodes: Iterable[str]) -> None:
    async def one(node: str) -> None:
        await work(node)

    async with asyncio.TaskGroup() as group:
        for node in nodes:
            group.create_task(one(node))
