"""What a container is made of: labels, limits, command; as the engine and as a shell want it."""

from __future__ import annotations

import secrets
import shlex
from dataclasses import dataclass
from typing import Any, Self

from auniverse.runtimes import Runtime

from .owner import Owner

PREFIX = "auniverse."
MIB = 2**20
#: Where a read-only container may write, in memory.
SCRATCH = "rw,noexec,nosuid,nodev,size=64m,mode=1777"


@dataclass(frozen=True)
class Recipe:
    """How the containers of one launch are made.

    Attributes:
        runtime: What they run.
        image: Name and tag of the image.
        env_id: The environment to begin with; None: the first reset says.
        screen: The size of their screens, such as "1024x768", or "native".
        lease: Seconds without a client, after which one ends itself; None: never.
        client_id: Whose remotes they are.
        owner: Whose containers they are.
        network: What they are connected to; a swarm has networks of its own.
        bind: The address that their ports are published on.
    """

    runtime: Runtime
    image: str
    env_id: str | None
    screen: str
    lease: float | None
    client_id: str
    owner: str
    network: str = ""
    bind: str = "127.0.0.1"

    @classmethod
    def of_launch(
        cls,
        runtime: Runtime,
        image: str,
        owner: Owner,
        *,
        env_id: str | None,
        screen: str,
        lease: float | None,
        client_id: str | None,
        network: str = "",
        bind: str = "127.0.0.1",
    ) -> Self:
        """Return that of a launch: who names a client has them kept, and they live longer."""
        if client_id is not None and lease is not None:
            lease = max(lease, runtime.keep)
        client_id = client_id or secrets.token_hex(4)
        return cls(runtime, image, env_id, screen, lease, client_id, owner.name, network, bind)

    @property
    def kind(self) -> dict[str, str]:
        """The labels that a container must have to be taken again."""
        return {
            f"{PREFIX}client-id": self.client_id,
            f"{PREFIX}owner": self.owner,
            f"{PREFIX}runtime": self.runtime.name,
            f"{PREFIX}screen": self.screen,
        }

    def labels(self, slot: str) -> dict[str, str]:
        """Return the labels of a container."""
        lease = "" if self.lease is None else f"{self.lease:g}"
        return {
            **self.kind,
            f"{PREFIX}lease": lease,
            f"{PREFIX}rewarder-port": str(self.runtime.rewarder_port),
            f"{PREFIX}slot": slot,
            f"{PREFIX}vnc-port": str(self.runtime.vnc_port),
        }

    def command(self, *, by_hand: bool = False, passwords_file: str = "") -> list[str]:
        """Return the arguments of the host inside.

        Args:
            by_hand: As one would give them.
            passwords_file: Where it reads its passwords; "": from its standard input.
        """
        words = ["--screen", self.screen]
        words += ["--env-id", self.env_id] if self.env_id is not None else []
        if not by_hand:
            words += ["--lease", f"{self.lease:g}"] if self.lease is not None else []
            told = ["--passwords-from-file", passwords_file]
            words += told if passwords_file else ["--passwords-from-stdin"]
        return words

    def config(self, slot: str) -> dict[str, Any]:
        """Return what the engine is to create, in its own words."""
        limits = self.runtime.limits
        ports = [f"{self.runtime.vnc_port}/tcp", f"{self.runtime.rewarder_port}/tcp"]
        return {
            "Image": self.image,
            "Cmd": self.command(),
            "Labels": self.labels(slot),
            "ExposedPorts": {port: {} for port in ports},
            # Its first line are its passwords: an environment variable could be inspected.
            "OpenStdin": True,
            "StdinOnce": True,
            "AttachStdin": True,
            "HostConfig": {
                "AutoRemove": True,
                "Init": True,
                "CapDrop": ["ALL"],
                "SecurityOpt": ["no-new-privileges"],
                "ReadonlyRootfs": self.runtime.read_only,
                "Tmpfs": {"/tmp": SCRATCH} if self.runtime.read_only else {},
                "Memory": limits.memory * MIB,
                "MemorySwap": limits.memory * MIB,
                "NanoCpus": round(limits.cpus * 1e9),
                "PidsLimit": limits.pids,
                "NetworkMode": self.network,
                # The engine picks the port. It asks names of nobody where there is nobody to ask.
                "PortBindings": {port: [{"HostIp": self.bind, "HostPort": ""}] for port in ports},
                "Dns": [] if self.runtime.egress else ["127.0.0.1"],
                "DnsOptions": [] if self.runtime.egress else ["timeout:1", "attempts:1"],
                "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m"}},
            },
        }

    def by_hand(self) -> str:
        """Return the `docker run` line that gives the same remote, with Universe's password."""
        runtime, limits = self.runtime, self.runtime.limits
        words = ["docker", "run", "--rm", "--init", "--cap-drop", "ALL"]
        words += ["--security-opt", "no-new-privileges"]
        words += ["--read-only", "--tmpfs", f"/tmp:{SCRATCH}"] if runtime.read_only else []
        words += ["--memory", f"{limits.memory}m", "--memory-swap", f"{limits.memory}m"]
        words += ["--cpus", f"{limits.cpus:g}", "--pids-limit", str(limits.pids)]
        for port in (runtime.vnc_port, runtime.rewarder_port):
            words += ["-p", f"127.0.0.1:{port}:{port}"]
        return shlex.join([*words, self.image, *self.command(by_hand=True)])
