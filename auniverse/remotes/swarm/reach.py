"""A manager of a swarm: how it is spoken to, and how what its nodes publish is reached."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiodocker

from auniverse.address import Route
from auniverse.errors import ProvisionError, UsageError

from ..docker.engine import open_engine, speaking
from ..docker.owner import Owner, find_owner

_FORM = "ssh://me@host:22 or tls://host:2376"


@dataclass(frozen=True)
class Swarm:
    """A swarm, by way of one of its managers, and in whose name that is told something.

    Attributes:
        docker: The API of its engine.
        route: How a port that a node publishes is reached, with the node's address as the swarm
            knows it: directly, or through an SSH server that knows that address.
        owner: Whose services we start, and what their passwords follow from.
        stack: The name of the cluster of `auniverse cluster` that it belongs to; "": of none. It
            is for remedies only.
        tls: Whether remotes that we start there have certificates, and speak TLS only.
    """

    docker: aiodocker.Docker
    route: Route = field(default_factory=Route)
    owner: Owner = field(default_factory=lambda: find_owner(os.environ))
    stack: str = ""
    tls: bool = False


@asynccontextmanager
async def open_manager(
    address: str = "", environ: Mapping[str, str] | None = None
) -> AsyncIterator[Swarm]:
    """Connect to a manager of a swarm.

    Args:
        address: "ssh://me@host:22", or "tls://host:2376" (certificates as `DOCKER_CERT_PATH` says;
            then remotes speak TLS, too); "": the engine that `DOCKER_HOST` names, or the local one.
        environ: Takes the place of the process's environment.

    Raises:
        MissingDependencyError: It is behind ssh, and the extra `ssh` is not installed.
        ProvisionError: It cannot be spoken to, or is no manager of a swarm; the message says what
            to do.
        UsageError: `address` is neither.
    """
    environ = dict(os.environ if environ is None else environ)
    if address:
        environ = {**environ, **_named(address)}
    async with open_engine(environ) as engine:
        await check_manager(engine.docker, engine.access.url)
        access = engine.access
        yield Swarm(engine.docker, access.route, find_owner(environ), tls=access.tls is not None)


async def check_manager(docker: aiodocker.Docker, url: str) -> None:
    """See whether an engine manages a swarm.

    Raises:
        ProvisionError: It does not; the message says how it would.
    """
    with speaking(f"the engine at {url}"):
        swarm = (await docker.system.info()).get("Swarm") or {}
    if not swarm.get("ControlAvailable"):
        state = swarm.get("LocalNodeState", "inactive")
        reason = (
            "is a worker of its swarm: name one of the managers (swarm+ssh://me@manager/8)"
            if state == "active"
            else "is in no swarm: `docker swarm init` makes it one of its own"
        )
        raise ProvisionError(f"the engine at {url} {reason}")


def _named(address: str) -> dict[str, str]:
    """Return the variables that name the engine at an address."""
    parts = urlsplit(address)
    if not parts.hostname or parts.scheme not in ("ssh", "tls") or parts.password:
        raise UsageError(f"this is no manager's address; {_FORM} are")
    where = address.partition("://")[2]
    if parts.scheme == "ssh":
        return {"DOCKER_HOST": f"ssh://{where}", "DOCKER_NET_HOST": ""}
    port = "" if parts.port else ":2376"
    return {
        "DOCKER_HOST": f"tcp://{where}{port}",
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_NET_HOST": "",
    }
