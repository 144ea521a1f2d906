"""Seconds until n remotes of a swarm are placed, and until each shows its first frame.

Ours (`launch(..., backend="swarm")`, each remote a service with passwords of its own) against the
same by hand: one `docker service create --replicas n`, and asyncvnc. It uses the swarm that
DOCKER_HOST manages. One of three machines in namespaces of this one, as root:

    python -m tests.engine python -m tests.swarm_nodes python benchmarks/swarm.py
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from auniverse.errors import AuniverseError
from auniverse.remotes import launch, swarm
from auniverse.vector import SessionPool

ENV_ID = "gym-core.CartPole-v1"
IMAGE = "auniverse/gym-core:1"
PORTS = "{{range .Status.PortStatus.Ports}}{{.PublishedPort}} {{end}}{{.NodeID}}"


class Times(NamedTuple):
    """Seconds from nothing.

    Attributes:
        placed: All containers run.
        played: Each has shown its first frame.
    """

    placed: float
    played: float


async def ours(n: int) -> Times:
    now = asyncio.get_running_loop().time
    begun = now()
    running: dict[str, float] = {}

    def note(name: str, state: str) -> None:
        if state == "running":
            running[name] = now() - begun

    async with (
        launch("gym-core", n, backend="swarm", env_id=ENV_ID, progress=note) as fleet,
        SessionPool(fleet, env_id=ENV_ID) as pool,
    ):
        await pool.reset()
        return Times(max(running.values()), now() - begun)


async def by_hand(n: int) -> Times:
    now = asyncio.get_running_loop().time
    begun = now()
    name = f"benchmark-{os.getpid()}"
    publish = ("--publish", "mode=host,target=5900", "--endpoint-mode", "dnsrr")
    create = ("service", "create", "--detach", "--no-resolve-image", "--name", name, *publish)
    await docker(*create, "--replicas", str(n), IMAGE, "--env-id", ENV_ID)
    try:
        listing = ("service", "ps", name, "--filter", "desired-state=running", "--no-trunc")
        while True:
            tasks = (await docker(*listing, "--format", "{{.ID}} {{.CurrentState}}")).splitlines()
            if sum("Running" in task for task in tasks) == n:
                break
            await asyncio.sleep(0.02)
        placed = now() - begun
        ids = [task.split()[0] for task in tasks]
        found = (await docker("inspect", "--format", PORTS, *ids)).splitlines()
        nodes = {line.split()[1] for line in found}
        asked = await docker("node", "inspect", "--format", "{{.ID}} {{.Status.Addr}}", *nodes)
        addresses = dict(line.split() for line in asked.splitlines())
        await asyncio.gather(
            *(first_frame(addresses[node], int(port)) for port, node in map(str.split, found))
        )
        return Times(placed, now() - begun)
    finally:
        await docker("service", "rm", name)
        while await docker("ps", "-q", "--filter", f"name={name}"):  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def first_frame(host: str, port: int) -> None:
    import asyncvnc

    while True:
        try:
            async with asyncvnc.connect(host, port, password="openai") as client:
                await client.screenshot()
                return
        except (OSError, EOFError, ValueError):  # the engine's proxy closes what nobody takes yet
            await asyncio.sleep(0.02)


async def docker(*arguments: str) -> str:
    """Run the engine's own client."""
    process = await asyncio.create_subprocess_exec(
        "docker", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, complaint = await process.communicate()
    if process.returncode:
        raise RuntimeError(complaint.decode().strip())
    return output.decode().strip()


async def lacks() -> str:
    """Return why nothing can be measured here, "" if it can."""
    try:
        async with swarm.open_manager():
            return ""
    except AuniverseError as error:
        return str(error)


MEASURES: dict[str, Callable[[int], Awaitable[Times]]] = {
    "auniverse": ours,
    "docker service create, asyncvnc": by_hand,
}


async def measure(rounds: int, sizes: tuple[int, ...]) -> dict[str, dict[int, Times]]:
    """Return medians, of rounds in which all take turns."""
    found: dict[str, dict[int, list[Times]]] = {name: {n: [] for n in sizes} for name in MEASURES}
    for _ in range(rounds):
        for n in sizes:
            for name, task in MEASURES.items():
                found[name][n].append(await task(n))
    return {
        name: {n: Times(*map(statistics.median, zip(*by_size[n], strict=True))) for n in sizes}
        for name, by_size in found.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="one round, and fewer remotes")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    options = parser.parse_args()
    if reason := asyncio.run(lacks()):
        print(f"swarms are not measured: {reason}", file=sys.stderr)
        return
    sizes = (4,) if options.quick else (4, 8, 16)
    rounds = 1 if options.quick else 3
    found = asyncio.run(measure(rounds, sizes))
    if options.json:
        results = {
            name: {n: times._asdict() for n, times in by_size.items()}
            for name, by_size in found.items()
        }
        print(json.dumps({"unit": "seconds", "rounds": rounds, "results": results}))
        return
    table = Table("seconds to", *(f"n = {n}" for n in sizes), box=None, pad_edge=False)
    for name, by_size in found.items():
        for what in Times._fields:
            row = (f"{getattr(by_size[n], what):.2f}" for n in sizes)
            table.add_row(f"{what}: {name}", *row)
    Console(width=100).print(table)
    print(f"Medians of {rounds} rounds.")


if __name__ == "__main__":
    main()
