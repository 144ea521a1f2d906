"""What a remote's service is made of, as the swarm wants to hear it; no I/O."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ..docker.owner import Passwords
from ..docker.recipe import MIB, PREFIX, Recipe

#: What the names of our services and secrets begin with; a swarm allows 63 letters.
NAME = "auniverse-"
#: The name of the secret's file inside, below /run/secrets.
_FILE = "auniverse"
_SECRET = f"/run/secrets/{_FILE}"
#: The label of services that speak TLS and nothing else.
TLS = "tls"
#: The label with the environment that they begin with, if they begin with one.
ENV_ID = "env-id"
#: Who the hosts in our images are.
_NOBODY = "65534"
_SECOND = 10**9


@dataclass(frozen=True)
class Wanted:
    """How the services of one launch are made.

    Attributes:
        recipe: What their containers are made of.
        constraints: Which nodes they may be placed on, such as "node.role==worker"; all must hold.
        tls: Whether nothing of them passes outside TLS.
    """

    recipe: Recipe
    constraints: tuple[str, ...] = ()
    tls: bool = False

    @property
    def kind(self) -> dict[str, str]:
        """The labels that a service must have to be taken again, without their prefix."""
        return own_labels({**self.recipe.kind, **self._tls})

    @property
    def _tls(self) -> dict[str, str]:
        return {f"{PREFIX}{TLS}": "yes"} if self.tls else {}

    def labels(self, slot: int) -> dict[str, str]:
        """Return the labels of a service, of its container and of its secret."""
        begins = {f"{PREFIX}{ENV_ID}": self.recipe.env_id} if self.recipe.env_id else {}
        return {**self.recipe.labels(str(slot)), **begins, **self._tls}

    def spec(self, name: str, slot: int, secret: str) -> dict[str, Any]:
        """Return a service of one container that runs wherever there is room.

        Args:
            name: The service's, and that of its secret.
            slot: The remote's number.
            secret: The id of its secret.
        """
        recipe, runtime = self.recipe, self.recipe.runtime
        labels = self.labels(slot)
        certificate = ["--certificate", _SECRET] if self.tls else []
        container = {
            "Image": recipe.image,
            "Args": [*recipe.command(passwords_file=_SECRET), *certificate],
            "Labels": labels,
            "Init": True,
            "CapabilityDrop": ["ALL"],
            "Privileges": {"NoNewPrivileges": True},  # engines before 25.0 pass over it
            "ReadOnly": runtime.read_only,
            "Mounts": [_SCRATCH] if runtime.read_only else [],
            "Secrets": [_secret(secret, name)],
            # As of a container of an engine: it asks names of nobody where there is nobody to ask.
            "DNSConfig": {} if runtime.egress else {"Nameservers": ["127.0.0.1"]},
            "StopGracePeriod": 2 * _SECOND,
        }
        task = {
            "ContainerSpec": container,
            "Resources": {
                "Limits": {
                    "NanoCPUs": round(runtime.limits.cpus * 1e9),
                    "MemoryBytes": runtime.limits.memory * MIB,
                    "Pids": runtime.limits.pids,
                },
                "Reservations": {
                    "NanoCPUs": round(runtime.reserve.cpus * 1e9),
                    "MemoryBytes": runtime.reserve.memory * MIB,
                },
            },
            # A host whose lease has ended exits with 0 and stays away. One that failed comes back,
            # and so does one whose node is drained or lost.
            "RestartPolicy": {"Condition": "on-failure", "Delay": _SECOND // 2},
            "Placement": {"Constraints": list(self.constraints)},
            "LogDriver": {"Name": "json-file", "Options": {"max-size": "1m"}},
        }
        return {
            "Name": name,
            "Labels": labels,
            "TaskTemplate": task,
            "Mode": {"Replicated": {"Replicas": 1}},
            "UpdateConfig": {"Parallelism": 1, "Order": "stop-first", "FailureAction": "continue"},
            # The node's own ports, which its engine picks: VNC wants neither a virtual address nor
            # a balancer between, and there may be no kernel support for them.
            "EndpointSpec": {
                "Mode": "dnsrr",
                "Ports": [
                    {"Protocol": "tcp", "TargetPort": port, "PublishMode": "host"}
                    for port in (runtime.vnc_port, runtime.rewarder_port)
                ],
            },
        }


#: /tmp of a container whose other files are read-only, in memory.
_SCRATCH = {
    "Type": "tmpfs",
    "Target": "/tmp",
    "TmpfsOptions": {"SizeBytes": 64 * MIB, "Mode": 0o1777},
}


def _secret(id: str, name: str) -> dict[str, Any]:
    file = {"Name": _FILE, "UID": _NOBODY, "GID": _NOBODY, "Mode": 0o400}
    return {"SecretID": id, "SecretName": name, "File": file}


def secret_of(passwords: Passwords, pem: str = "") -> str:
    """Return what the host inside reads: a line with its passwords, then its certificate and key.

    Args:
        passwords: What it lets in.
        pem: The latter two; "": it has none.
    """
    told = {"vnc_password": passwords.vnc, "rewarder_password": passwords.rewarder}
    return f"{json.dumps(told)}\n{pem}"


def own_labels(labels: dict[str, str]) -> dict[str, str]:
    """Return our labels of some, without their prefix."""
    return {
        key.removeprefix(PREFIX): value for key, value in labels.items() if key.startswith(PREFIX)
    }
