"""Seconds until n remotes of a swarm are placed, and until each shows its first frame.

Ours (`launch(..., backend="swarm")`, each remote a service with passwords of its own) against the
same by hand: one `docker service create --replicas n`, and asyncvnc. Both take turns, and who
begins changes. It uses the swarm that DOCKER_HOST manages. One of three machines in namespaces of
this one, as root:

    python -m tests.engine python -m tests.swarm_nodes python benchmarks/swarm.py [--quick] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import statistics
import sys
import time
import warnings
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from auniverse.errors import AuniverseError
from auniverse.remotes import launch, swarm
from auniverse.vector import SessionPool

ENV_ID = "gym-core.CartPole-v1"
IMAGE = "auniverse/gym-core:1"
PORT = "{{(index .Status.PortStatus.Ports 0).PublishedPort}} {{.NodeID}}"
#: Seconds that one measurement may take before it is an error.
PATIENCE = 120.0


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
        tasks = await running_tasks(name, n)
        placed = now() - begun
        found = (await docker("inspect", "--format", PORT, *tasks)).splitlines()
        nodes = {line.split()[1] for line in found}
        asked = await docker("node", "inspect", "--format", "{{.ID}} {{.Status.Addr}}", *nodes)
        addresses = dict(line.split() for line in asked.splitlines())
        await asyncio.gather(
            *(first_frame(addresses[node], int(port)) for port, node in map(str.split, found))
        )
        return Times(placed, now() - begun)
    finally:
        await end(name)


async def running_tasks(service: str, n: int) -> list[str]:
    """Return the ids of a service's tasks once all of them run."""
    listing = ("service", "ps", service, "--filter", "desired-state=running", "--no-trunc")
    while True:
        tasks = await docker(*listing, "--format", "{{.ID}} {{.CurrentState}} {{.Error}}")
        running = [task for task in tasks.splitlines() if task.split()[1] == "Running"]
        if len(running) == n:
            return [task.split()[0] for task in running]
        await asyncio.sleep(0.02)


async def first_frame(host: str, port: int) -> None:
    import asyncvnc

    while True:
        with suppress(OSError, EOFError, ValueError):  # the engine's proxy closes what nobody takes
            async with asyncvnc.connect(host, port, password="openai") as client:
                await client.screenshot()
                return
        await asyncio.sleep(0.02)


async def end(name: str) -> None:
    """Remove a service, and wait until no machine has a container of it, as ours does."""
    async with swarm.open_manager() as manager:
        service = (await manager.docker.services.inspect(name))["ID"]
        await docker("service", "rm", name)
        while await has_tasks(manager, service):  # noqa: ASYNC110 (it is asked, it does not call)
            await asyncio.sleep(0.1)


async def has_tasks(manager: swarm.Swarm, service: str) -> bool:
    return service in {task["ServiceID"] for task in await manager.docker.tasks.list()}


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


OURS, PEER, RATIO = "auniverse", "docker service create, asyncvnc", "times by hand"
MEASURES: dict[str, Callable[[int], Awaitable[Times]]] = {OURS: ours, PEER: by_hand}
Found = dict[str, dict[int, list[Times]]]


async def measure(rounds: int, sizes: tuple[int, ...], seconds: float) -> Found:
    """Return what was measured in rounds in which all take turns; none begins after `seconds`."""
    found: Found = {name: {n: [] for n in sizes} for name in MEASURES}
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for number in range(rounds):
        if number and loop.time() - begun > seconds * number / (number + 1):
            break  # another round would not be over in time
        for n in sizes:
            for name in list(MEASURES)[:: -1 if number % 2 else 1]:
                async with asyncio.timeout(PATIENCE):
                    times = await MEASURES[name](n)
                found[name][n].append(times)
                sys.stderr.write(
                    f"round {number + 1}, n = {n}: {name}: placed after {times.placed:.2f} s, "
                    f"played after {times.played:.2f} s\n"
                )
    return found


def medians(found: Found) -> dict[str, dict[int, Times]]:
    """Return what is in the middle: seconds, and what ours took of the peer's in the same round."""
    ratios = {
        n: [
            Times(ours.placed / peer.placed, ours.played / peer.played)
            for ours, peer in zip(found[OURS][n], found[PEER][n], strict=True)
        ]
        for n in found[OURS]
    }
    return {
        name: {
            n: Times(*map(statistics.median, zip(*times, strict=True))) for n, times in by.items()
        }
        for name, by in {**found, RATIO: ratios}.items()
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="one round, and fewer remotes")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    parser.add_argument("--rounds", type=int, default=3, help="at most")
    parser.add_argument("--seconds", type=float, default=240, help="how long all may take")
    options = parser.parse_args(arguments)
    logging.getLogger("auniverse").setLevel(logging.ERROR)  # that nothing is encrypted is known
    warnings.simplefilter("ignore")  # asyncvnc's ciphers are old
    if reason := asyncio.run(lacks()):
        print(f"swarms are not measured: {reason}", file=sys.stderr)
        return
    sizes = (4,) if options.quick else (4, 8, 16)
    begun = time.perf_counter()
    found = asyncio.run(measure(1 if options.quick else options.rounds, sizes, options.seconds))
    took, rounds = time.perf_counter() - begun, len(found[OURS][sizes[0]])
    middle = medians(found)
    if options.json:
        results = {
            name: {n: times._asdict() for n, times in by_size.items()}
            for name, by_size in middle.items()
        }
        ratios = results.pop(RATIO)
        units = {"unit": "seconds", "rounds": rounds}
        print(json.dumps({**units, "results": results, "ratios": ratios}))
        return
    table = Table("seconds to", *(f"n = {n}" for n in sizes), box=None, pad_edge=False)
    for name, by_size in middle.items():
        for what in Times._fields:
            row = (f"{getattr(by_size[n], what):.2f}" for n in sizes)
            table.add_row(f"{what}: {name}", *row)
    Console(width=100).print(table)
    print(f"Medians of {rounds} rounds, in {took:.0f} s.")


if __name__ == "__main__":
    main()
