"""What a swarm of some nodes says, as its API says it."""

from __future__ import annotations

from itertools import count
from typing import Any

from auniverse.remotes.swarm.sight import Sight, read_nodes, read_tasks

GIB = 2**30
_numbers = count()


def node(
    name: str,
    *,
    state: str = "ready",
    availability: str = "active",
    role: str = "worker",
    cpus: float = 2,
    memory: float = 24,
) -> dict[str, Any]:
    """A node of so many processors and GiB."""
    return {
        "ID": f"id-{name}",
        "Spec": {"Role": role, "Availability": availability},
        "Description": {
            "Hostname": name,
            "Resources": {"NanoCPUs": int(cpus * 1e9), "MemoryBytes": int(memory * GIB)},
        },
        "Status": {"State": state, "Addr": f"10.0.0.{name[-1]}"},
    }


def task(
    service: str,
    state: str,
    on: str = "",
    *,
    desired: str = "running",
    err: str = "",
    code: int = 0,
    cpus: float = 0.1,
    memory: float = 5,
) -> dict[str, Any]:
    """A task that reserves so many processors and GiB; later ones are younger."""
    number = next(_numbers)
    status: dict[str, Any] = {"State": state, "Err": err}
    if state == "running":
        ports = ((5900, 32768 + 2 * number), (15900, 32769 + 2 * number))
        status["PortStatus"] = {
            "Ports": [{"TargetPort": port, "PublishedPort": public} for port, public in ports]
        }
    if on:
        status["ContainerStatus"] = {"ContainerID": "c", "ExitCode": code}
    return {
        "ID": f"task-{number}",
        "Version": {"Index": number},
        "CreatedAt": f"2026-11-23T00:00:00.{number:09}Z",
        "ServiceID": service,
        "NodeID": f"id-{on}" if on else "",
        "DesiredState": desired,
        "Status": status,
        "Spec": {
            "Resources": {
                "Reservations": {"NanoCPUs": int(cpus * 1e9), "MemoryBytes": int(memory * GIB)}
            }
        },
    }


def sight(nodes: list[dict[str, Any]], tasks: list[dict[str, Any]]) -> Sight:
    return Sight(read_nodes(nodes), read_tasks(tasks))
