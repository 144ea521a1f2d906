"""How throughput grows with workers and with Ray actors, against one process, in one run.

A replayer in C sends eight screens of 1024x768, all of it changing and zlib-compressed, as fast as
they are asked for; a pool decodes all of it and hands out batches at 30 fps. Contenders take turns
in every round. What counts is updates decoded a second. The replayer needs a part of a core too,
which is measured, and so does handing out: with two cores a second worker cannot double anything.

There are as many rounds as fit into `--budget` seconds, one at least. Ray is started before, and
has `--ray-timeout` seconds for it, 0 for not at all.

    python benchmarks/scaling.py [--quick] [--json] [--budget SECONDS] [--ray-timeout SECONDS]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from peers.building import MissingError, build
from peers.workloads import screenfuls
from rich.console import Console
from rich.table import Table
from throughput import say, talking

from auniverse.address import Remote
from auniverse.links import run
from auniverse.vector import RayPool, SessionPool

SCREENS, FPS = 8, 30.0
ONE = "one process"
WORKERS, ACTORS = (1, 2, 4), (1, 2)

Measured = dict[str, float]


def pools(remotes: list[Remote], clustered: bool) -> dict[str, SessionPool]:
    """Return the contenders, none of them open, by what they are called."""
    found: dict[str, SessionPool] = {ONE: SessionPool(remotes, fps=FPS)}
    for workers in WORKERS:
        found[f"{workers} worker{'s' * (workers > 1)}"] = SessionPool(
            remotes, fps=FPS, workers=workers
        )
    if clustered:
        for actors in ACTORS:
            found[f"{actors} Ray actor{'s' * (actors > 1)}"] = RayPool(
                None, remotes, actors=actors, fps=FPS, actor_options={"num_cpus": 0}
            )
    return found


async def measure(pool: SessionPool, seconds: float) -> Measured:
    """Open a pool, play, and return updates and batches a second."""
    loop = asyncio.get_running_loop()
    nothing: list[Any] = [[]] * SCREENS
    async with pool:
        await pool.reset()
        for _ in range(5):
            await pool.step(nothing)
        before, began, steps = pool.stats()["updates"], loop.time(), 0
        while loop.time() < began + seconds:
            batch = await pool.step(nothing)
            assert batch.infos["valid"].all()
            steps += 1
        took = loop.time() - began
        return {
            "updates_per_s": (pool.stats()["updates"] - before) / took,
            "batches_per_s": steps / took,
        }


def wait_for_ray(timeout: float) -> None:
    """Have Ray wait that long for its own node to come up; its own 30 s cannot be configured."""
    import ray

    get_node = ray._private.services.get_node
    until = time.monotonic() + timeout

    def get_node_at_last(*args: Any) -> Any:
        while True:
            try:
                return get_node(*args)
            except RuntimeError:  # it is not there yet
                if time.monotonic() > until:
                    raise
                time.sleep(0.5)

    ray._private.services.get_node = get_node_at_last


@contextmanager
def cluster(timeout: float) -> Iterator[bool]:
    """Start a Ray node for the time being; give whether that could be done.

    Args:
        timeout: Seconds that it has for it; 0: do without.
    """
    if not timeout:
        yield False
        return
    try:
        import ray

        wait_for_ray(timeout)
        ray.init(include_dashboard=False, log_to_driver=False, object_store_memory=512 << 20)
    except Exception as error:
        print(f"without Ray actors: {str(error).partition(chr(10))[0]}", file=sys.stderr)
        yield False
        return
    try:
        yield True
    finally:
        ray.shutdown()


def compare(
    seconds: float, budget: float, file: Path, clustered: bool
) -> tuple[int, dict[str, Measured]]:
    """Return how many rounds there were, and the medians of what each contender reached.

    Args:
        seconds: How long each plays in a round.
        budget: Seconds that all rounds may take; there is one at least.
        file: What is replayed.
        clustered: Whether there is Ray.
    """
    found: dict[str, list[Measured]] = {}
    answers: list[str] = []
    with talking([str(build("replayer.c")), str(file)], None, answers) as replayer:
        remotes = [Remote("127.0.0.1", int(answers[0]), None)] * SCREENS
        began, rounds = time.monotonic(), 0
        while not rounds or (time.monotonic() - began) * (rounds + 1) / rounds < budget:
            rounds += 1
            for name, pool in pools(remotes, clustered).items():
                say(replayer, "stats")
                measured = run(measure(pool, seconds))
                load = say(replayer, "stats")
                measured["replayer_load"] = load["cpu"] / load["wall"]
                found.setdefault(name, []).append(measured)
    return rounds, {
        name: {key: statistics.median(one[key] for one in each) for key in each[0]}
        for name, each in found.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    parser.add_argument("--budget", type=float, default=120.0, help="seconds for all rounds")
    parser.add_argument("--ray-timeout", type=float, default=120.0, help="0: without Ray")
    options = parser.parse_args()
    seconds, budget = (1.0, 0.0) if options.quick else (3.0, options.budget)
    try:
        build("replayer.c")
    except MissingError as missing:
        raise SystemExit(str(missing)) from None
    with tempfile.TemporaryDirectory() as folder, cluster(options.ray_timeout) as clustered:
        file = Path(folder) / "screenfuls.stream"
        screenfuls().write(file)
        rounds, results = compare(seconds, budget, file, clustered)
    cores = len(os.sched_getaffinity(0))
    if options.json:
        answer = {"cores": cores, "screens": SCREENS, "rounds": rounds, "results": results}
        print(json.dumps(answer))
        return
    table = Table("", "updates/s", "x", "batches/s", "replayer", box=None, pad_edge=False)
    for name, found in results.items():
        table.add_row(
            name,
            f"{found['updates_per_s']:.0f}",
            f"{found['updates_per_s'] / results[ONE]['updates_per_s']:.2f}",
            f"{found['batches_per_s']:.1f}",
            f"{found['replayer_load']:.2f} of a core",
        )
    Console(width=100).print(table)
    print(f"{rounds} rounds, {SCREENS} screens; on {cores} cores: replayer, agent, decoders.")


if __name__ == "__main__":
    main()
