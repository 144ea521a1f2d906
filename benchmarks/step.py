"""What a step costs beyond waiting: ours against Gymnasium's vector environments.

N remotes that show one picture of 1024x768 and do nothing else stand in a process of their own.
Ours talk to them over VNC and websockets; `fps=math.inf` means that a step never waits for a tick
but returns the newest frame. Gymnasium's environments return one picture of the same size and do
nothing else. All contenders run in one process, one after the other in every round; each figure
is the median over the rounds.

    python benchmarks/step.py [--quick] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from auniverse.address import Remote, parse_remotes
from auniverse.env import RemoteVectorEnv
from auniverse.host import Host, Metadata, Outcome
from auniverse.keysyms import keysym
from auniverse.rfb import KeyEvent, PointerEvent
from auniverse.vector import SessionPool

WIDTH, HEIGHT = 1024, 768
KEY = "space"
#: Against whose figure all are compared.
OURS = "SessionPool"
#: Seconds that one contender measures in one round.
SHARE = 0.15

CAPTION = """\
Milliseconds for one step of N environments of 1024x768 RGB, and in brackets that in units of
SessionPool. Nothing on any screen changes, and no step waits for a tick (ours: fps=math.inf, the
newest frame). 'key': every step presses or releases a key in every environment (ours only).
'copy': the caller owns a writable copy of the observations; without it ours are read-only
snapshots that stay valid, Gymnasium's one buffer that the next step overwrites."""

#: Does so many steps.
Steps = Callable[[int], None]


def picture() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


class StillProgram:
    """A program for a host: one picture, no rewards, no end."""

    def __init__(self) -> None:
        self._picture = picture()

    def load(self, env_id: str) -> Metadata:
        actions = ((), (KEY,))
        return Metadata(env_id, 1.0, WIDTH, HEIGHT, actions, "hold", (KEY,), False, False)

    def reset(self, seed: int | None) -> tuple[NDArray[np.uint8], None]:
        return self._picture, None

    def press(self, event: KeyEvent | PointerEvent) -> None: ...

    def advance(self) -> tuple[NDArray[np.uint8], Outcome]:
        return self._picture, Outcome(0.0, False, False, None, {})

    def close(self) -> None: ...


class StillEnv(gymnasium.Env[NDArray[np.uint8], int]):
    """The same for Gymnasium."""

    observation_space = gymnasium.spaces.Box(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self) -> None:
        self._picture = picture()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        return self._picture, {}

    def step(self, action: int) -> Any:
        return self._picture, 0.0, False, False, {}


async def serve(number: int) -> None:
    """Serve still remotes until stdin ends; their addresses are the one line on stdout."""
    loop = asyncio.get_running_loop()
    hosts = [Host(StillProgram(), env_id="idle.Still-v0") for _ in range(number)]
    for host in hosts:
        await host.__aenter__()
    print(",".join(str(host.remote) for host in hosts), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    for host in hosts:
        await host.__aexit__()


@contextmanager
def idle_remotes(number: int) -> Iterator[list[Remote]]:
    command = [sys.executable, __file__, "--serve", str(number)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield parse_remotes(process.stdout.readline())
        process.stdin.close()


@contextmanager
def pool_steps(remotes: list[Remote]) -> Iterator[dict[str, Steps]]:
    number = len(remotes)
    nothing: list[list[KeyEvent]] = [[] for _ in remotes]
    keys = [[[KeyEvent(keysym(KEY), down)] for _ in remotes] for down in (False, True)]

    async def steps(pool: SessionPool, count: int, press: bool) -> None:
        for step in range(count):
            batch = await pool.step(keys[step % 2] if press else nothing)
            assert len(batch) == number

    with asyncio.Runner() as runner:
        pool = SessionPool(remotes, fps=math.inf)
        runner.run(pool.__aenter__())
        runner.run(pool.reset())
        yield {
            OURS: lambda count: runner.run(steps(pool, count, False)),
            f"{OURS} key": lambda count: runner.run(steps(pool, count, True)),
        }
        runner.run(pool.__aexit__(None, None, None))


@contextmanager
def facade_steps(remotes: list[Remote]) -> Iterator[dict[str, Steps]]:
    envs = RemoteVectorEnv(remotes=remotes, num_envs=len(remotes), fps=math.inf)
    actions = [np.full(len(remotes), action) for action in (0, 1)]

    def steps(copy: bool, press: bool) -> Steps:
        def run(count: int) -> None:
            envs.copy = copy
            for step in range(count):
                envs.step(actions[step % 2 if press else 0])

        return run

    envs.reset()
    yield {
        "RemoteVectorEnv": steps(copy=False, press=False),
        "RemoteVectorEnv key": steps(copy=False, press=True),
        "RemoteVectorEnv copy": steps(copy=True, press=False),
    }
    envs.close()


@contextmanager
def gymnasium_steps(
    kind: type[SyncVectorEnv] | type[AsyncVectorEnv], number: int, **options: Any
) -> Iterator[dict[str, Steps]]:
    envs = kind([StillEnv] * number, **options)
    actions = np.zeros(number, np.int64)

    def steps(copy: bool) -> Steps:
        def run(count: int) -> None:
            envs.copy = copy
            for _ in range(count):
                envs.step(actions)

        return run

    envs.reset()
    yield {kind.__name__: steps(copy=False), f"{kind.__name__} copy": steps(copy=True)}
    envs.close()


def seconds_a_step(steps: Steps, count: int) -> float:
    started = time.perf_counter()
    steps(count)
    return (time.perf_counter() - started) / count


def measure(number: int, rounds: int) -> dict[str, float]:
    """Return the median seconds of one step of `number` environments, by contender."""
    with ExitStack() as stack:
        # The one that forks comes before those that have sockets and threads.
        contenders = stack.enter_context(
            gymnasium_steps(AsyncVectorEnv, number, shared_memory=True)
        )
        contenders |= stack.enter_context(gymnasium_steps(SyncVectorEnv, number))
        remotes = stack.enter_context(idle_remotes(2 * number))
        contenders |= stack.enter_context(pool_steps(remotes[:number]))
        contenders |= stack.enter_context(facade_steps(remotes[number:]))
        counts = {
            name: max(3, min(2000, int(SHARE / seconds_a_step(steps, 5))))
            for name, steps in contenders.items()
        }
        times: dict[str, list[float]] = {name: [] for name in contenders}
        for _ in range(rounds):
            for name, steps in contenders.items():
                times[name].append(seconds_a_step(steps, counts[name]))
    return {name: statistics.median(seconds) for name, seconds in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="fewer environments and rounds")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.serve))
        return
    numbers, rounds = ((1, 8), 3) if options.quick else ((1, 8, 32, 64), 7)
    results = {number: measure(number, rounds) for number in numbers}
    if options.json:
        ratios = {
            number: {name: seconds / times[OURS] for name, seconds in times.items()}
            for number, times in results.items()
        }
        print(
            json.dumps(
                {
                    "unit": "seconds a step",
                    "rounds": rounds,
                    "results": results,
                    f"ratios to {OURS}": ratios,
                }
            )
        )
        return
    table = Table("", *(f"N={number}" for number in numbers), box=None, pad_edge=False)
    for name in results[numbers[0]]:
        row = (f"{t[name] * 1e3:.3f} ({t[name] / t[OURS]:.2f})" for t in results.values())
        table.add_row(name, *row)
    Console(width=100).print(table)
    print(CAPTION)


if __name__ == "__main__":
    main()
