"""Containers that an earlier launch has left: those that can be taken again, and litter."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from typing import Any, NamedTuple

from aiodocker.containers import DockerContainer

from auniverse.errors import AuniverseError, ProvisionError

from ..ready import wait_ready
from .container import Container, Running
from .engine import Engine, speaking
from .owner import Owner
from .recipe import PREFIX, Recipe

_log = logging.getLogger(__name__)

#: Seconds for a container to show that it is well.
_WELL = 5.0


class Listed(NamedTuple):
    """A container of ours, as the engine lists it.

    Attributes:
        handle: The engine's own.
        name: The engine's name for it.
        state: "running", "paused", "created", ...
        labels: Ours, without their prefix.
        seen: What else the engine says.
    """

    handle: DockerContainer
    name: str
    state: str
    labels: dict[str, str]
    seen: dict[str, Any]


async def list_own(engine: Engine, owner: Owner) -> list[Listed]:
    """Return all containers of an owner, the oldest first.

    Raises:
        ProvisionError: The engine refuses.
    """
    filters = json.dumps({"label": [f"{PREFIX}owner={owner.name}"]})
    with speaking("cannot list containers"):
        handles = await engine.docker.containers.list(all=True, filters=filters)
    found = []
    for handle in handles:
        seen = handle._container  # it has all of it, and says so by single keys only
        labels = {
            key.removeprefix(PREFIX): value
            for key, value in seen["Labels"].items()
            if key.startswith(PREFIX)
        }
        found.append(Listed(handle, seen["Names"][0].lstrip("/"), seen["State"], labels, seen))
    return sorted(found, key=lambda listed: (listed.seen["Created"], listed.name))


async def sweep(engine: Engine, owner: Owner) -> None:
    """See to what killed clients have left and no lease can end.

    What was created and never started is removed; what was paused runs on, and then ends by its
    lease.

    Raises:
        ProvisionError: The engine refuses.
    """
    for listed in await list_own(engine, owner):
        if listed.state == "running" or (claim := owner.claim(listed.name)) is None:
            continue
        container = Container(engine, listed.handle, listed.name, claim)
        if listed.state == "paused":
            with suppress(ProvisionError):
                await container.resume()
            await container.leave()
        else:
            await container.remove()


async def take_again(
    engine: Engine, owner: Owner, recipe: Recipe, image_id: str, n: int
) -> list[Running]:
    """Take up to `n` containers that are like the recipe's, well, and nobody's now.

    Those that are not well, or of another image by now, are ended.

    Raises:
        ProvisionError: The engine refuses.
    """
    taken: list[Running] = []
    wanted = {key.removeprefix(PREFIX): value for key, value in recipe.kind.items()}
    for listed in await list_own(engine, owner):
        if len(taken) == n or not wanted.items() <= listed.labels.items():
            continue
        if (claim := owner.claim(listed.name)) is None:
            continue
        container = Container(engine, listed.handle, listed.name, claim)
        try:
            if listed.seen["ImageID"] != image_id:
                raise ProvisionError("its image is another one by now")
            remote = await container.remote(recipe, listed.name, owner.passwords(listed.name))
            await wait_ready(remote, _WELL)
        except AuniverseError as error:
            _log.info("%s is not taken again: %s", listed.name, error)
            await container.remove()
            continue
        container.follow(tail="20")
        taken.append(Running(container, remote))
    return taken
