"""What one remote costs while it is played: processor, memory, stream; each of its own container.

`auniverse run` plays n containers at 30 steps a second with random keys. The engine says what their
processes used between two looks, some seconds apart, and what memory they hold at the end without
the kernel's cache of files; `run` says what came over VNC meanwhile. Medians over the containers;
the processor time is the same on a busy machine. Needs the runtimes' images (`auniverse build`):

    python benchmarks/footprint.py [ENV_ID ...] [--n N] [--seconds S] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
from datetime import date
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from auniverse.remotes import docker

ENV_IDS = ("gym-core.Pong-v5", "gym-core.Breakout-v5", "gym-core.CartPole-v1")
#: Seconds before the first look, in which all begin.
SETTLING = 3.0
_MIB = 2**20


class Footprint(NamedTuple):
    """What one remote takes: the median of some.

    Attributes:
        cores: Processor seconds a second.
        memory_mib: MiB.
        mbit_s: Of VNC, in 10^6 bits a second.
    """

    cores: float
    memory_mib: float
    mbit_s: float


class Look(NamedTuple):
    """What an engine says of a container: processor seconds, and MiB."""

    processor: float
    memory: float


async def measure(env_id: str, n: int, seconds: float) -> Footprint:
    """Play, look twice, and return the difference; RuntimeError: it cannot be played."""
    async with docker.open_engine() as engine:
        others = await names(engine)
        play = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "auniverse", "run", env_id, "--remotes", f"docker:{n}"),
            *("--fps", "30", "--seconds", str(SETTLING + 1.2 * seconds + 2), "--json"),
            *("--stats-every", "0.2"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            began = await counted(play, SETTLING)
            ours = await names(engine) - others
            before = {name: await look(engine, name) for name in ours}
            ended = await counted(play, began["seconds"] + seconds)
            after = {name: await look(engine, name) for name in ours}
        finally:
            if play.returncode is None:
                play.terminate()
            await play.wait()
    took = ended["seconds"] - began["seconds"]
    return Footprint(
        statistics.median((after[name].processor - before[name].processor) / took for name in ours),
        statistics.median(after[name].memory for name in ours),
        (ended["bytes"] - began["bytes"]) * 8 / 1e6 / took / n,
    )


async def counted(play: asyncio.subprocess.Process, since: float) -> dict[str, Any]:
    """Return the first of a run's statistics that is so many seconds old."""
    assert play.stderr is not None
    said = b""
    async for line in play.stderr:
        if line.startswith(b"{") and (found := json.loads(line))["seconds"] >= since:
            return dict(found)
        said = line
    raise RuntimeError(said.decode().strip())


async def names(engine: docker.Engine) -> set[str]:
    """Return the ids of our kind of containers."""
    found = await engine.docker.containers.list(filters={"label": ["auniverse.owner"]})
    return {container.id for container in found}


async def look(engine: docker.Engine, container: str) -> Look:
    said = await engine.docker._query_json(  # aiodocker's own call waits for a second sample
        f"containers/{container}/stats", params={"stream": "false", "one-shot": "true"}
    )
    memory = said["memory_stats"]
    cache = memory["stats"].get("inactive_file", memory["stats"].get("total_inactive_file", 0))
    processor = said["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9
    return Look(processor, (memory["usage"] - cache) / _MIB)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("env_ids", nargs="*", default=ENV_IDS, metavar="ENV_ID")
    parser.add_argument("--n", type=int, default=4, help="containers")
    parser.add_argument("--seconds", type=float, default=20, help="between two looks")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    options = parser.parse_args()
    found: dict[str, Footprint] = {}
    for env_id in options.env_ids:
        try:
            found[env_id] = asyncio.run(measure(env_id, options.n, options.seconds))
        except Exception as error:
            print(f"{env_id} is not measured: {error}", file=sys.stderr)
    if options.json:
        print(json.dumps({env_id: one._asdict() for env_id, one in found.items()}))
        return
    table = Table("remote", "cores", "MiB", "Mbit/s", box=None, pad_edge=False)
    for env_id, one in found.items():
        table.add_row(env_id, f"{one.cores:.3f}", f"{one.memory_mib:.0f}", f"{one.mbit_s:.1f}")
    Console(width=100).print(table)
    print(f"Medians of {options.n}, {options.seconds:g} s each, {date.today()}.")


if __name__ == "__main__":
    main()
