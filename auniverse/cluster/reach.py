"""How a swarm's manager and its nodes are spoken to: by SSH, with nothing open but that.

One connection goes to the manager. Through it go its engine's API, the remotes, and the SSH
connections to other nodes, whose SSH ports need not be reachable from here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from auniverse.address import Route, parse_remotes
from auniverse.errors import ConnectError, ProvisionError
from auniverse.links import forward_path, forward_port
from auniverse.remotes import docker, swarm

from .cloud import Cloud, Refused
from .hostkeys import Trust, console_fingerprints
from .machines import Machine, machines, manager_of
from .stack import Progress, Stack

#: Where a node's engine listens.
SOCKET = "/var/run/docker.sock"
#: Seconds between two tries to enter a machine that boots.
PAUSE = 5.0
#: Seconds that an SSH server may take to let us in.
_PATIENCE = 30.0


@dataclass(frozen=True)
class Gate:
    """The way to a swarm.

    Attributes:
        route: To the manager, by SSH.
        trust: How other nodes' host keys are checked.
        cloud: Where the nodes are, if they are AWS's.
        machines: The nodes, if they are AWS's.
    """

    route: Route
    trust: Trust
    cloud: Cloud | None = None
    machines: tuple[Machine, ...] = ()

    def public_of(self, private: str) -> str:
        """Return the address elsewhere of the node with that address among nodes; "": none."""
        return next((each.public for each in self.machines if each.private == private), "")

    def machine_of(self, private: str) -> Machine | None:
        """Return AWS's machine with that address among nodes."""
        return next((each for each in self.machines if each.private == private), None)


def gate_to(manager: str, *, identity: str = "", hostkey: str = "", trust: Trust) -> Gate:
    """Return the way to a swarm of one's own.

    Args:
        manager: `[user@]host[:port]` of the SSH server on a manager.
        identity: A file with our key; "": the agent's, and the user's own.
        hostkey: "SHA256:..." of the server; "": known hosts are asked.
        trust: For other nodes.

    Raises:
        AddressError: That is no such place.
    """
    (there,) = parse_remotes(f"vnc+ssh://{manager}/manager:1")
    return Gate(replace(there.route, identity=_absolute(identity), hostkey=hostkey), trust)


async def gate_of(
    cloud: Cloud, stack: Stack, *, identity: str, user: str = "", hostkey: str = "", trust: Trust
) -> Gate:
    """Return the way to the swarm of a stack.

    Args:
        cloud: Where the stack is.
        stack: It.
        identity: A file with the private key of the stack's key pair.
        user: Who comes; "": whoever the image knows.
        hostkey: "SHA256:..." of the manager; "": it is checked as `hostkeys` says.
        trust: What checks it.

    Raises:
        AuthenticationError: Its key is not to be trusted.
        ConnectError: Its SSH server does not answer.
        ProvisionError: AWS refuses, or it does not run.
    """
    found = await machines(cloud, stack)
    manager = manager_of(found, stack)
    host = manager.public or manager.private
    if not hostkey:
        hostkey = await trust.hostkey(manager.id, host, 22, lambda: _console(cloud, manager))
    debian = "/debian/" in stack.parameters.get("Image", "")
    route = Route(
        "vnc+ssh",
        jump=f"{host}:22",
        user=user or ("admin" if debian else "ec2-user"),
        hostkey=hostkey,
        identity=_absolute(identity),
    )
    return Gate(route, trust, cloud, tuple(found))


async def await_gate(
    cloud: Cloud,
    stack: Stack,
    *,
    identity: str,
    user: str,
    hostkey: str,
    manager: str | None,
    trust: Trust,
    progress: Progress,
    timeout: float,
) -> Gate:
    """Wait until a stack that has just been made can be entered; return the way in.

    Args:
        cloud: See `gate_of`, and so for the next ones.
        stack: See there.
        identity: See there.
        user: See there.
        hostkey: See there.
        manager: The manager is reached there instead (`gate_to`); None: at its own address.
        trust: See `gate_of`.
        progress: Told what is awaited.
        timeout: Seconds that booting may take.

    Raises:
        RemoteError: It cannot be entered in time.
        ProvisionError: AWS refuses.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    progress("manager", "booting")
    while True:
        try:
            if manager is None:
                gate = await gate_of(
                    cloud, stack, identity=identity, user=user, hostkey=hostkey, trust=trust
                )
            else:
                gate = gate_to(manager, identity=identity, hostkey=hostkey, trust=trust)
                gate = replace(gate, cloud=cloud, machines=tuple(await machines(cloud, stack)))
            async with open_manager(gate) as engine:
                await swarm.check_manager(engine.docker, gate.route.jump)
                return gate
        except (ConnectError, ProvisionError):  # SSH, the engine, or its swarm is not there yet
            if loop.time() > deadline:
                raise
            await asyncio.sleep(PAUSE)


async def _console(cloud: Cloud, machine: Machine) -> set[str]:
    """Return the host keys that a machine's console shows."""
    asked = ("ec2", "get_console_output")
    try:
        seen = await cloud.call(*asked, InstanceId=machine.id, Latest=True)
    except Refused as error:
        if error.code != "UnsupportedOperation":
            raise
        # Types before Nitro, such as t2, have what AWS took down some minutes ago and no more.
        seen = await cloud.call(*asked, InstanceId=machine.id)
    return console_fingerprints(seen.get("Output", ""))


@asynccontextmanager
async def open_manager(gate: Gate) -> AsyncIterator[docker.Engine]:
    """Give the manager's engine; what it publishes is reached through it.

    Raises:
        AuthenticationError: The key of the SSH server, or ours, is refused.
        ConnectError: It does not answer, or its engine does not.
        ProvisionError: The engine cannot be spoken to.
    """
    async with _engine(gate.route) as engine:
        yield docker.Engine(replace(engine.access, route=gate.route), engine.docker)


@asynccontextmanager
async def open_node(gate: Gate, address: str) -> AsyncIterator[docker.Engine]:
    """Give the engine of another node, by SSH through the manager; raises as `open_manager`.

    Args:
        gate: The way to the swarm.
        address: The node's, among nodes.
    """
    async with forward_port(gate.route, address, 22) as port:
        machine, cloud = gate.machine_of(address), gate.cloud

        async def vouched() -> set[str]:
            return await _console(cloud, machine) if cloud and machine else set()

        name = machine.id if machine else f"{gate.route.jump} {address}"
        hostkey = await gate.trust.hostkey(name, "127.0.0.1", port, vouched)
        route = replace(gate.route, jump=f"127.0.0.1:{port}", hostkey=hostkey, known_hosts="")
        async with _engine(route) as engine:
            yield engine


@asynccontextmanager
async def _engine(route: Route) -> AsyncIterator[docker.Engine]:
    async with AsyncExitStack() as entered:
        try:
            async with asyncio.timeout(_PATIENCE):
                path = await entered.enter_async_context(forward_path(route, SOCKET))
        except TimeoutError as error:
            raise ConnectError(
                f"the SSH server {route.jump} did not let us in for {_PATIENCE:g} s",
                remedy="does the security group let this machine in (--ssh-cidr)?",
            ) from error
        there = {"DOCKER_HOST": f"unix://{path}"}
        yield await entered.enter_async_context(docker.open_engine(there))


def _absolute(path: str) -> str:
    return str(Path(path).expanduser().resolve()) if path else ""
