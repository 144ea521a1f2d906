"""What it costs to begin: imports, the command line, and a remote until its first frame.

Every figure is the median of fresh processes, taken in turns, Python's own start included; the
peer is `import gymnasium`, which most of our callers pay anyhow. Where an engine has the image of
gym-core: the seconds to the first frames of n containers, against `docker run` and asyncvnc.

    python benchmarks/startup.py [--quick] [--json] [--containers]

Until n services of a swarm are placed, and until each shows its first frame (swarm.py, which says
more), as root in a clone:

    python -m tests.engine python -m tests.swarm_nodes python benchmarks/startup.py --swarm
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table

ENV_ID = "gym-core.CartPole-v1"
OVERHEAD = "overhead of containers"


def process(*arguments: str) -> Callable[[], float]:
    """Return what runs Python with these arguments and tells the seconds it took."""

    def run() -> float:
        started = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        return time.perf_counter() - started

    return run


def first_frame() -> float:
    """Return the seconds from nothing to the first frame of an episode on a remote."""
    from auniverse.remotes import launch
    from auniverse.session import connect

    async def play() -> float:
        loop = asyncio.get_running_loop()
        started = loop.time()
        async with (
            launch("gym-core", env_id=ENV_ID) as remotes,
            connect(remotes[0], env_id=ENV_ID) as session,
        ):
            await session.reset()
            return loop.time() - started

    return asyncio.run(play())


TASKS: dict[str, Callable[[], float]] = {
    "python -c pass": process("-c", "pass"),
    "import gymnasium": process("-c", "import gymnasium"),
    "import auniverse": process("-c", "import auniverse"),
    "import auniverse.rfb": process("-c", "import auniverse.rfb"),
    "auniverse.SessionPool": process("-c", "import auniverse; auniverse.SessionPool"),
    "auniverse.RemoteVectorEnv": process("-c", "import auniverse; auniverse.RemoteVectorEnv"),
    "auniverse --help": process("-m", "auniverse", "--help"),
    "auniverse list": process("-m", "auniverse", "list"),
    "a remote's first frame": first_frame,
}


def of_containers(rounds: int, sizes: Sequence[int]) -> dict[str, dict[int, float]]:
    """Return medians in seconds, by way and by how many at once; none where there is no engine.

    The overhead is the median of what ours took longer than the peer in the same round.
    """
    from peers.containers import MEASURES, OURS, PEER, lacks

    if reason := asyncio.run(lacks()):
        print(f"containers are not measured: {reason}", file=sys.stderr)
        return {}
    times: dict[str, dict[int, list[float]]] = defaultdict(lambda: {n: [] for n in sizes})
    for number in range(rounds):
        for n in sizes:
            for measure in MEASURES[:: -1 if number % 2 else 1]:
                for name, seconds in asyncio.run(measure(n)).items():
                    times[name][n].append(seconds)
    for n in sizes:
        pairs = zip(times[OURS][n], times[PEER][n], strict=True)
        times[OVERHEAD][n] = [ours - peer for ours, peer in pairs]
    return {
        name: {n: statistics.median(seconds) for n, seconds in by_size.items()}
        for name, by_size in times.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    parser.add_argument("--containers", action="store_true", help="measure nothing else")
    parser.add_argument("--swarm", action="store_true", help="measure a swarm, and nothing else")
    parser.add_argument("--rounds", type=int, default=5, help="of containers")
    options = parser.parse_args()
    if options.swarm:
        import swarm

        swarm.main([word for word in sys.argv[1:] if word in ("--quick", "--json")])
        return
    rounds = 3 if options.quick else 11
    times: dict[str, list[float]] = {name: [] for name in TASKS}
    for _ in range(0 if options.containers else rounds):
        for name, task in TASKS.items():
            times[name].append(task())
    medians = {name: statistics.median(found) for name, found in times.items() if found}
    sizes = (1, 4) if options.quick else (1, 4, 8)
    containers = of_containers(1 if options.quick else options.rounds, sizes)
    if options.json:
        found = {"unit": "seconds", "rounds": rounds, "results": medians, "containers": containers}
        print(json.dumps(found))
        return
    if medians:
        table = Table("", "milliseconds", "of import gymnasium", box=None, pad_edge=False)
        for name, seconds in medians.items():
            ratio = seconds / medians["import gymnasium"]
            table.add_row(name, f"{seconds * 1e3:.0f}", f"{ratio:.2f}")
        Console(width=100).print(table)
        print(f"Medians of {rounds} fresh processes, Python's own start included.")
    if containers:
        table = Table("seconds to the first frames of", *(f"n = {n}" for n in sizes), box=None)
        for name, by_size in containers.items():
            table.add_row(name, *(f"{by_size[n]:.3f}" for n in sizes))
        Console(width=100).print(table)


if __name__ == "__main__":
    main()
