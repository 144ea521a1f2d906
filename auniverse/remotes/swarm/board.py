"""What is asked of a swarm: looks at it, services made, moved and taken away."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple

import aiodocker
import aiohttp
from aiodocker.multiplexed import multiplexed_result_list

from auniverse.address import Remote, Route
from auniverse.errors import ProvisionError

from ..docker.credentials import login_header
from ..docker.engine import speaking
from ..docker.recipe import PREFIX
from .certificate import certificate_of
from .reach import Swarm
from .sight import Sight, Task, read_nodes, read_tasks
from .wanted import NAME, TLS, Wanted, own_labels, secret_of

_log = logging.getLogger(__name__)

#: Requests at a time for things that are many: a manager writes each down before it answers.
_AT_ONCE = 8
#: Tries to take away a secret that its service may still be using, and to change a service that
#: somebody else changes, and the seconds between two.
_TRIES, _PAUSE = 5, 0.1
#: Seconds for containers of services that were taken away to end.
_GONE = 15.0
#: Seconds for a log to arrive from its node, and the lines that are wanted of it.
_LOG, _TAIL = 2.0, 40


class Service(NamedTuple):
    """A service of ours: one remote.

    Attributes:
        id: The swarm's id of it.
        name: The swarm's name for it, and for its secret.
        labels: Ours, without their prefix.
        image: What its container is made of.
    """

    id: str
    name: str
    labels: Mapping[str, str]
    image: str

    @property
    def runtime(self) -> str:
        """What it runs."""
        return self.labels.get("runtime", "")

    @property
    def client_id(self) -> str:
        """Whose remote it is."""
        return self.labels.get("client-id", "")

    @property
    def owner(self) -> str:
        """Whose service it is."""
        return self.labels.get("owner", "")

    @property
    def slot(self) -> int:
        """The number of the remote."""
        slot = self.labels.get("slot", "")
        return int(slot) if slot.isdecimal() else 0

    @property
    def remote_name(self) -> str:
        """The name of the remote, such as "gym-core-3"."""
        return f"{self.runtime}-{self.slot}"


class Board:
    """A swarm, and what was seen of it last.

    Attributes:
        swarm: Which.
        sight: What was seen last.
    """

    def __init__(self, swarm: Swarm) -> None:
        self.swarm = swarm
        self.sight = Sight((), ())
        self._docker = swarm.docker
        self._turn = asyncio.Lock()
        self._begun = 0

    # -- looks ---------------------------------------------------------------------------------

    async def look(self) -> Sight:
        """Look at all nodes and tasks; those who ask at the same time share one look.

        Raises:
            ProvisionError: The manager does not answer.
        """
        wanted = self._begun + 1
        async with self._turn:
            if self._begun < wanted:
                self._begun += 1
                with speaking("cannot look at the swarm"):
                    nodes, tasks = await asyncio.gather(
                        self._docker.nodes.list(), self._docker.tasks.list()
                    )
                self.sight = Sight(read_nodes(nodes), read_tasks(tasks))
        return self.sight

    async def services(self, owner: str = "") -> list[Service]:
        """Return our kind of services, of one owner or of all, by runtime and number.

        Raises:
            ProvisionError: The manager does not answer.
        """
        label = f"{PREFIX}owner={owner}" if owner else f"{PREFIX}owner"
        with speaking("cannot list services"):
            found = await self._docker.services.list(filters={"label": [label]})
        services = [_read_service(said) for said in found]
        return sorted(services, key=lambda service: (service.runtime, service.slot, service.name))

    def remote(self, service: Service, task: Task) -> Remote | None:
        """Return where a service is reached; None: nowhere yet, or we do not know its passwords."""
        node = self.sight.nodes.get(task.node)
        if not task.runs or node is None or service.owner != self.swarm.owner.name:
            return None
        vnc, rewarder = (
            task.ports.get(int(service.labels.get(f"{kind}-port", 0)), 0)
            for kind in ("vnc", "rewarder")
        )
        if not vnc or not rewarder or not node.address:
            return None
        return Remote(
            node.address,
            vnc,
            rewarder,
            *self.swarm.owner.passwords(service.name),
            service.remote_name,
            route=self._route(service),
        )

    def _route(self, service: Service) -> Route:
        """Return how a service is reached, and by which certificate it is known if it has one."""
        if TLS not in service.labels:
            return self.swarm.route
        pin = certificate_of(service.name, self.swarm.owner.seed(service.name)).pin
        return replace(self.swarm.route, security=("x509vnc",), pin=pin)

    async def log(self, task: Task) -> str:
        """Return the last lines that a task's container wrote, "" if they cannot be had soon."""
        node = self.sight.nodes.get(task.node)
        if node is None or node.state != "ready":
            return ""
        query: dict[str, Any] = {"stdout": True, "stderr": True, "tail": str(_TAIL)}
        with suppress(aiodocker.DockerError, aiohttp.ClientError, OSError, TimeoutError):
            async with (
                asyncio.timeout(_LOG),
                self._docker._query(f"tasks/{task.id}/logs", params=query) as answer,
            ):
                lines = await multiplexed_result_list(answer)  # type: ignore[no-untyped-call]
                return "".join(lines).rstrip()
        return ""

    # -- changes -------------------------------------------------------------------------------

    async def create(self, wanted: Wanted, slot: int, name: str) -> Service:
        """Make a service, and the secret with its passwords.

        Raises:
            ProvisionError: The manager refuses; then neither is left.
        """
        labels = wanted.labels(slot)
        owner = self.swarm.owner
        pem = certificate_of(name, owner.seed(name)).pem if wanted.tls else ""
        told = secret_of(owner.passwords(name), pem)
        with speaking(f"cannot create {name}"):
            secret = await self._docker.secrets.create(name, told, labels=labels)
            try:
                made = await self._docker._query_json(
                    "services/create",
                    method="POST",
                    data=wanted.spec(name, slot, secret["ID"]),
                    headers=login_header(wanted.recipe.image),  # the nodes pull with it
                )
            except BaseException:
                with suppress(aiodocker.DockerError, aiohttp.ClientError, OSError):
                    await self._docker.secrets.delete(secret["ID"])
                raise
        return Service(made["ID"], name, own_labels(labels), wanted.recipe.image)

    async def move(self, service: Service) -> None:
        """Have the swarm end a service's container, and run it anew wherever there is room.

        Raises:
            ProvisionError: The manager refuses, or somebody took the service away.
        """
        for attempt in range(1, _TRIES + 1):
            with speaking(f"cannot move {service.name}"):
                said = await self._inspect(service)
                spec, version = dict(said["Spec"]), said["Version"]["Index"]
                task = spec["TaskTemplate"]
                task["ForceUpdate"] = task.get("ForceUpdate", 0) + 1
                try:
                    await self._docker._query_json(
                        f"services/{service.id}/update",
                        method="POST",
                        params={"version": version},
                        data=spec,
                    )
                    return
                except aiodocker.DockerError as error:
                    if attempt == _TRIES or "out of sequence" not in error.message:
                        raise
            await asyncio.sleep(_PAUSE)

    async def _inspect(self, service: Service) -> Mapping[str, Any]:
        try:
            return await self._docker.services.inspect(service.id)
        except aiodocker.DockerError as error:
            if error.status == 404:
                raise gone(service) from None
            raise

    async def remove(self, services: Iterable[Service]) -> None:
        """Take services and their secrets away, and wait until their containers have ended.

        Engines clear these away a moment later; those on nodes that are down, when they come back.

        Raises:
            ProvisionError: The manager refuses.
        """
        services = list(services)
        gate = asyncio.Semaphore(_AT_ONCE)

        async def end(service: Service) -> None:
            async with gate:
                await self._remove(service)

        await asyncio.gather(*(end(service) for service in services))
        await self._wait_gone({service.id for service in services})

    async def _wait_gone(self, services: set[str]) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _GONE
        while True:
            left = sum(self._stays(task, services) for task in (await self.look()).tasks)
            if not left:
                return
            if loop.time() > deadline:
                _log.warning("%d containers of removed services have not ended yet", left)
                return
            await asyncio.sleep(_PAUSE)

    def _stays(self, task: Task, services: set[str]) -> bool:
        """Tell whether a task of some services is still on a node that would say if it were not."""
        node = self.sight.nodes.get(task.node)
        held = node is not None and node.state == "ready" and not task.ended
        return task.service in services and held

    async def _remove(self, service: Service) -> None:
        with speaking(f"cannot remove {service.name}"):
            await _unless_gone(self._docker, f"services/{service.id}")
            for attempt in range(1, _TRIES + 1):
                try:
                    await _unless_gone(self._docker, f"secrets/{service.name}")
                    return
                except aiodocker.DockerError as error:
                    if attempt == _TRIES or "in use" not in error.message:
                        raise
                await asyncio.sleep(_PAUSE * attempt)

    async def orphans(self) -> list[str]:
        """Return the names of our own secrets that no service goes by: somebody was killed."""
        owner = self.swarm.owner.name
        with speaking("cannot list secrets"):
            found = await self._docker.secrets.list(filters={"label": [f"{PREFIX}owner={owner}"]})
        names = {service.name for service in await self.services(owner)}
        return [name for secret in found if (name := secret["Spec"]["Name"]) not in names]

    async def forget(self, secret: str) -> None:
        """Take a secret away.

        Raises:
            ProvisionError: The manager refuses.
        """
        with speaking(f"cannot remove the secret {secret}"):
            await _unless_gone(self._docker, f"secrets/{secret}")


async def _unless_gone(docker: aiodocker.Docker, what: str) -> None:
    try:
        async with docker._query(what, method="DELETE"):
            pass
    except aiodocker.DockerError as error:
        if error.status != 404:
            raise


def fresh_name(runtime: str, slot: int) -> str:
    """Return a name that no service has."""
    return f"{NAME}{runtime[:32]}-{slot}-{secrets.token_hex(4)}"


def _read_service(said: Mapping[str, Any]) -> Service:
    spec = said["Spec"]
    container = spec["TaskTemplate"].get("ContainerSpec") or {}
    return Service(
        said["ID"], spec["Name"], own_labels(spec.get("Labels") or {}), container.get("Image", "")
    )


async def last_words(board: Board, task: Task | None) -> str:
    """Return the end of an error message: what a task's container wrote last."""
    text = await board.log(task) if task is not None else ""
    return f"; its log ends with:\n{text}" if text else ""


def gone(service: Service) -> ProvisionError:
    """Return the error for a service that somebody took away."""
    return ProvisionError(f"{service.remote_name}: somebody removed its service {service.name}")
