"""What lock-step over VNC costs: frames per second against the same environments called directly.

N CartPoles of 600x400 pixels. "direct" is one environment after the other in this process, with
every picture drawn, as pixels are an observation; Gymnasium's AsyncVectorEnv has a process for each
and shared memory. Ours have a process for each too, and between it and the agent a VNC server, a
rewarder, two sockets and a decoder. All run in turn in every round; each figure is the median.

    python benchmarks/lockstep.py [--quick] [--json]
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv
from gymnasium.wrappers import AddRenderObservation
from rich.console import Console
from rich.table import Table

import auniverse
from auniverse.env import RemoteVectorEnv

NAME = "CartPole-v1"
DIRECT = "direct"
#: Seconds that one contender measures in one round.
SHARE = 0.5
#: The view of the last contender.
SMALL = auniverse.View(size=(84, 84), grey=True)

CAPTION = f"""\
Frames per second of all N together, and in brackets that in units of '{DIRECT}'. 'view': the agent
is given 84x84 grey; the remotes still draw and send 600x400. A machine with fewer cores than N
makes no more of N processes than of as many as it has cores."""

Make = Callable[[int], VectorEnv[Any, Any, Any]]


def drawn() -> gymnasium.Env[Any, Any]:
    return AddRenderObservation(gymnasium.make(NAME, render_mode="rgb_array"))


def remote(number: int, **options: Any) -> RemoteVectorEnv:
    return RemoteVectorEnv(
        f"gym-core.{NAME}", number, number, lockstep=True, screen="native", **SAME_STEP, **options
    )


SAME_STEP: dict[str, Any] = {"autoreset_mode": AutoresetMode.SAME_STEP}
CONTENDERS: dict[str, Make] = {  # the one that forks comes before those with sockets and threads
    "AsyncVectorEnv": lambda number: AsyncVectorEnv([drawn] * number, copy=False, **SAME_STEP),
    DIRECT: lambda number: SyncVectorEnv([drawn] * number, copy=False, **SAME_STEP),
    "RemoteVectorEnv": remote,
    "RemoteVectorEnv view": partial(remote, view=SMALL),
}


@contextmanager
def opened(make: Make, number: int) -> Iterator[VectorEnv[Any, Any, Any]]:
    envs = make(number)
    envs.reset(seed=0)
    yield envs
    envs.close()


def frames_a_second(envs: VectorEnv[Any, Any, Any], seconds: float) -> float:
    random = np.random.default_rng(0)
    started = time.perf_counter()
    steps = 0
    while (passed := time.perf_counter() - started) < seconds:
        envs.step(random.integers(2, size=envs.num_envs))
        steps += 1
    return steps * envs.num_envs / passed


def measure(number: int, rounds: int) -> dict[str, float]:
    """Return the median frames a second of `number` environments, by contender."""
    with ExitStack() as stack:
        running = {
            name: stack.enter_context(opened(make, number)) for name, make in CONTENDERS.items()
        }
        rates: dict[str, list[float]] = {name: [] for name in running}
        for _ in range(rounds):
            for name, envs in running.items():
                rates[name].append(frames_a_second(envs, SHARE))
    return {name: statistics.median(found) for name, found in rates.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="fewer environments and rounds")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    options = parser.parse_args()
    numbers, rounds = ((1, 4), 3) if options.quick else ((1, 2, 4, 8), 7)
    results = {number: measure(number, rounds) for number in numbers}
    if options.json:
        print(json.dumps({"unit": "frames a second", "rounds": rounds, "results": results}))
        return
    table = Table("", *(f"N={number}" for number in numbers), box=None, pad_edge=False)
    for name in CONTENDERS:
        cells = (f"{rate[name]:.0f} ({rate[name] / rate[DIRECT]:.2f})" for rate in results.values())
        table.add_row(name, *cells)
    Console(width=100).print(table)
    print(CAPTION)


if __name__ == "__main__":
    main()
