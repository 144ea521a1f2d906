"""What a swarm says about its nodes and tasks, read into values; no I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ..docker.recipe import MIB

#: A task of these states holds its place on a node and what it has reserved there.
_HOLDING = ("assigned", "accepted", "preparing", "ready", "starting", "running")
#: A task of these states will never run again.
_ENDED = ("complete", "shutdown", "failed", "rejected", "remove", "orphaned")
#: Letters that are kept of a reason.
_LINE = 300
_EXIT = re.compile(r"non-zero exit \((\d{1,3})\)")
#: What an engine says where it lacks an image and nobody gave it one.
_NO_IMAGE = ("no such image", "pull access denied", "manifest unknown", "image not found")


class Node(NamedTuple):
    """A machine of the swarm.

    Attributes:
        id: The swarm's id of it.
        name: Its host name.
        address: Where the others reach it; "": nobody has said.
        role: "manager" or "worker".
        state: "ready", "down", "disconnected" or "unknown".
        availability: "active", "pause" or "drain".
        cpus: Processors.
        memory: MiB.
    """

    id: str
    name: str
    address: str
    role: str
    state: str
    availability: str
    cpus: float
    memory: float

    @property
    def takes_tasks(self) -> bool:
        """Whether the swarm may place something on it."""
        return self.state == "ready" and self.availability == "active"

    @property
    def absence(self) -> str:
        """Why it does not, in a word; "" if it does."""
        if self.state != "ready":
            return self.state
        return {"active": "", "drain": "drained"}.get(self.availability, self.availability)


class Task(NamedTuple):
    """One attempt of the swarm to run a service's container.

    Attributes:
        id: The swarm's id of it.
        service: The id of its service.
        node: The id of its node; "": none yet.
        state: What it does: "pending", "preparing", "running", "failed", ...
        desired: What the swarm wants of it: "ready", "running", "shutdown", "remove".
        error: Why it does not, in one line; "" if nobody complained.
        exit_code: Of its container; None: that has not ended.
        ports: What the node publishes, by the port inside.
        born: Orders the tasks of a service.
        cpus: Processors that are reserved for it.
        memory: MiB that are reserved for it.
    """

    id: str
    service: str
    node: str
    state: str
    desired: str
    error: str
    exit_code: int | None
    ports: Mapping[int, int]
    born: tuple[str, int]
    cpus: float
    memory: float

    @property
    def runs(self) -> bool:
        """Whether it runs, and is to."""
        return self.state == "running" and self.desired == "running"

    @property
    def ended(self) -> bool:
        """Whether it will never run again."""
        return self.state in _ENDED

    @property
    def wanted(self) -> bool:
        """Whether the swarm wants it to run, now or soon."""
        return self.desired in ("running", "ready", "accepted")

    @property
    def holds(self) -> bool:
        """Whether it holds what it has reserved on its node."""
        return self.state in _HOLDING and self.wanted

    @property
    def lacks_image(self) -> bool:
        """Whether it could not run because its node has not got the image."""
        text = self.error.lower()
        return self.state == "rejected" and any(sign in text for sign in _NO_IMAGE)


class Sight:
    """Everything that was seen in one look.

    Args:
        nodes: As read by `read_nodes`.
        tasks: As read by `read_tasks`, of all services.

    Attributes:
        nodes: By id.
        tasks: All of them.
    """

    def __init__(self, nodes: Iterable[Node], tasks: Iterable[Task]) -> None:
        self.nodes = {node.id: node for node in nodes}
        self.tasks = sorted(tasks, key=lambda task: task.born)
        self._by_service: dict[str, list[Task]] = {}
        self._by_id = {task.id: task for task in self.tasks}
        for task in self.tasks:
            self._by_service.setdefault(task.service, []).append(task)

    def history(self, service: str) -> list[Task]:
        """Return the tasks of a service, the oldest first; the swarm forgets old ones."""
        return self._by_service.get(service, [])

    def current(self, service: str) -> Task | None:
        """Return the task that counts: the one that the swarm wants, else the last."""
        history = self.history(service)
        wanted = [task for task in history if task.wanted]
        return next(reversed(wanted or history), None)

    def task(self, id: str) -> Task | None:
        """Return a task by its id; None: the swarm has forgotten it."""
        return self._by_id.get(id)

    def free(self, node: Node) -> tuple[float, float]:
        """Return the processors, and the MiB, that nobody has reserved on a node."""
        held = [task for task in self.tasks if task.node == node.id and task.holds]
        return (
            node.cpus - sum(task.cpus for task in held),
            node.memory - sum(task.memory for task in held),
        )

    def death(self, task: Task) -> str:
        """Return how a task ended, "" while it runs and is to."""
        if task.runs and (node := self.nodes.get(task.node)) and node.state != "down":
            return ""
        return ending(task, self.nodes)


def ending(task: Task, nodes: Mapping[str, Node]) -> str:
    """Return in words how a task ended, or why it is about to."""
    node = nodes.get(task.node)
    name = node.name if node else "a node that is gone"
    if node is None and task.node:
        return f"lost with {name}"
    if node is not None and node.state == "down":
        return f"lost with its node {name}, which is down"
    if task.lacks_image:
        return f"not started: {name} has not got its image"
    code = task.exit_code
    if found := _EXIT.search(task.error):
        code = int(found[1])
    if code is not None and code > 128 and task.state != "shutdown":
        return f"killed by signal {code - 128} on {name}"
    if node is not None and node.availability == "drain" and task.desired == "shutdown":
        return f"moved away: its node {name} is drained"
    if task.state in ("complete", "failed") and code is not None:
        return f"ended with exit code {code} on {name}"
    if not task.wanted:
        return f"replaced by the swarm: {task.error or 'it was to run elsewhere'}"
    return f"{task.state}: {task.error}" if task.error else task.state


def read_nodes(answer: Iterable[Mapping[str, Any]]) -> list[Node]:
    """Read what `GET /nodes` answers."""
    return [_read_node(said) for said in answer]


def _read_node(said: Mapping[str, Any]) -> Node:
    spec, status = said.get("Spec") or {}, said.get("Status") or {}
    description = said.get("Description") or {}
    resources = description.get("Resources") or {}
    address = status.get("Addr") or ""
    if address in ("", "0.0.0.0", "127.0.0.1", "::"):  # a manager may not know its own
        leads = (said.get("ManagerStatus") or {}).get("Addr") or ""
        address = leads.rpartition(":")[0].strip("[]") or address
    return Node(
        id=said["ID"],
        name=description.get("Hostname") or said["ID"][:12],
        address=address,
        role=spec.get("Role", "worker"),
        state=status.get("State", "unknown"),
        availability=spec.get("Availability", "active"),
        cpus=resources.get("NanoCPUs", 0) / 1e9,
        memory=resources.get("MemoryBytes", 0) / MIB,
    )


def read_tasks(answer: Iterable[Mapping[str, Any]]) -> list[Task]:
    """Read what `GET /tasks` answers."""
    return [_read_task(said) for said in answer]


def _read_task(said: Mapping[str, Any]) -> Task:
    status, spec = said.get("Status") or {}, said.get("Spec") or {}
    container = status.get("ContainerStatus") or {}
    state = status.get("State", "new")
    reserved = (spec.get("Resources") or {}).get("Reservations") or {}
    published = (status.get("PortStatus") or {}).get("Ports") or []
    code = container.get("ExitCode", 0)
    return Task(
        id=said["ID"],
        service=said.get("ServiceID", ""),
        node=said.get("NodeID", ""),
        state=state,
        desired=said.get("DesiredState", "running"),
        error=" ".join(str(status.get("Err") or "").split())[:_LINE],
        exit_code=code if state in _ENDED and (code or state == "complete") else None,
        ports={port["TargetPort"]: port.get("PublishedPort", 0) for port in published},
        born=(said.get("CreatedAt", ""), (said.get("Version") or {}).get("Index", 0)),
        cpus=reserved.get("NanoCPUs", 0) / 1e9,
        memory=reserved.get("MemoryBytes", 0) / MIB,
    )
