"""What a step costs beyond waiting: ours against Gymnasium's vector environments, and EnvPool's.

N remotes that do nothing, with screens of 1024x768 or 84x84, stand in a process of their own. Ours
talk to them over VNC and websockets; `fps=math.inf` means that a step never waits for a tick but
returns the newest frame. "10 %": before every step a tenth of each screen, always the same one,
counts as changed, so that it is copied, or made smaller, as after an update; what decoding costs is
the affair of `decode.py`. The environments of Gymnasium return one picture of the size of the
observation. EnvPool takes part where it is installed (`pip install envpool`, 0.9 GB): CartPole has
no pixels, so that this is its overhead; Pong makes pictures of 84x84, by emulation. All contenders
run in one process, one after the other in every round; each figure is the median over the rounds.

Then the stragglers: all but one of 16 remotes draw at 60 frames a second, one never does, and
`recv(min_envs=16, timeout=...)` has to give up at its deadline. How late is it?

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
from functools import partial
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
from auniverse.rfb import Box, KeyEvent, PointerEvent
from auniverse.vector import SessionPool, View

#: Width and height of screens in pixels.
FULL, TINY = (1024, 768), (84, 84)
KEY = "space"
#: Against whose figures all are compared.
OURS, OURS_SMALL, OURS_TINY = "SessionPool", "SessionPool 84", "SessionPool of 84"
#: More processes than this are not started for Gymnasium's.
MOST_PROCESSES = 64
#: Seconds that one contender measures in one round; steps before that, which are not counted: a
#: loop that stood still while others were measured finds what came meanwhile, and cold caches.
SHARE, SETTLING = 0.15, 10

CAPTION = """\
Milliseconds for one step of N environments, and in brackets that in units of SessionPool with the
same observations. No step waits for a tick (ours: fps=math.inf, the newest frame). 'key': every
step presses or releases a key in every environment (ours only). 'copy': the caller owns a writable
copy of the observations; without it ours are read-only snapshots that stay valid, Gymnasium's one
buffer that the next step overwrites. '84': observations of 84x84 in grey, ours made of 1024x768;
'of 84': ours made of screens of 84x84, as Gymnasium's are. 'copy of 10 % alone': what memory takes
for the pixels that changed, without anything around it."""

#: Observations of 84x84 in grey.
SMALL = View(size=TINY, grey=True)
#: Remotes, their frames a second, and the seconds after which `recv` gives up.
STRAGGLING, BUSY_FPS, DEADLINE = 16, 60.0, 0.016

#: Does so many steps.
Steps = Callable[[int], None]


def picture(*shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


class StillProgram:
    """A program for a host: one picture, no rewards, no end."""

    fps = 1.0

    def __init__(self, size: tuple[int, int]) -> None:
        self._size = width, height = size
        self._picture = picture(height, width, 3)

    def load(self, env_id: str) -> Metadata:
        actions = ((), (KEY,))
        return Metadata(env_id, self.fps, *self._size, actions, "hold", (KEY,), False, False)

    def reset(self, seed: int | None) -> tuple[NDArray[np.uint8], None]:
        return self._picture, None

    def press(self, event: KeyEvent | PointerEvent) -> None: ...

    def advance(self) -> tuple[NDArray[np.uint8], Outcome]:
        return self._picture, Outcome(0.0, False, False, None, {})

    def close(self) -> None: ...


class BusyProgram(StillProgram):
    """The same, with something that moves."""

    fps = BUSY_FPS

    def advance(self) -> tuple[NDArray[np.uint8], Outcome]:
        self._picture[100:180, 100:200] += 1
        return super().advance()


class StillEnv(gymnasium.Env[NDArray[np.uint8], int]):
    """The same for Gymnasium: one picture of a shape."""

    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.observation_space = gymnasium.spaces.Box(0, 255, shape, np.uint8)
        self._picture = picture(*shape)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        return self._picture, {}

    def step(self, action: int) -> Any:
        return self._picture, 0.0, False, False, {}


async def serve(number: int, busy: int, size: tuple[int, int]) -> None:
    """Serve remotes until stdin ends, the first of them busy; their addresses go to stdout."""
    loop = asyncio.get_running_loop()
    kinds = [BusyProgram] * busy + [StillProgram] * (number - busy)
    hosts = [Host(kind(size), env_id="idle.Still-v0") for kind in kinds]
    for host in hosts:
        await host.__aenter__()
    print(",".join(str(host.remote) for host in hosts), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    for host in hosts:
        await host.__aexit__()


@contextmanager
def idle_remotes(
    number: int, busy: int = 0, size: tuple[int, int] = FULL
) -> Iterator[list[Remote]]:
    command = [sys.executable, __file__, "--serve", str(number), "--busy", str(busy)]
    command += ["--size", *map(str, size)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield parse_remotes(process.stdout.readline())
        process.stdin.close()


def tenths(number: int, size: tuple[int, int]) -> list[Box]:
    """Return for each of some screens a box of a tenth of it, somewhere."""
    width, height = (round(side * math.sqrt(0.1)) for side in size)
    corners = np.random.default_rng(0).integers(0, (size[0] - width, size[1] - height), (number, 2))
    return [Box(int(x), int(y), width, height) for x, y in corners]


@contextmanager
def copies_alone(number: int) -> Iterator[dict[str, Steps]]:
    """The floor of what changes: the same tenths, of RGBX as they are, copied by NumPy."""
    width, height = FULL
    screens, copies = (np.empty((number, height, width, 4), np.uint8) for _ in range(2))
    boxes = [(slice(y, y + h), slice(x, x + w)) for x, y, w, h in tenths(number, FULL)]
    pairs = [(copies[i][box], screens[i][box]) for i, box in enumerate(boxes)]
    for _, screen in pairs:
        screen[...] = picture(1)  # memory that was never written is one page of zeros

    def run(count: int) -> None:
        for _ in range(count):
            for copy, screen in pairs:
                copy[...] = screen

    yield {"copy of 10 % alone": run}


@contextmanager
def pool_steps(
    remotes: list[Remote], name: str, view: View | None, size: tuple[int, int] = FULL
) -> Iterator[dict[str, Steps]]:
    number = len(remotes)
    nothing: list[list[KeyEvent]] = [[] for _ in remotes]
    keys = [[[KeyEvent(keysym(KEY), down)] for _ in remotes] for down in (False, True)]
    places = [[box] for box in tenths(number, size)]

    async def steps(pool: SessionPool, count: int, press: bool, damage: bool) -> None:
        for step in range(count):
            if damage:
                for slot, place in enumerate(places):
                    pool.frames.damage(slot, place)
            batch = await pool.step(keys[step % 2] if press else nothing)
            assert len(batch) == number

    with asyncio.Runner() as runner:
        pool = SessionPool(remotes, fps=math.inf, view=view)
        runner.run(pool.__aenter__())
        runner.run(pool.reset())
        yield {
            name: lambda count: runner.run(steps(pool, count, False, False)),
            f"{name} 10 %": lambda count: runner.run(steps(pool, count, False, True)),
            **(
                {}
                if view
                else {f"{name} key": lambda count: runner.run(steps(pool, count, True, False))}
            ),
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
    kind: type[SyncVectorEnv] | type[AsyncVectorEnv],
    number: int,
    name: str,
    *shape: int,
    **options: Any,
) -> Iterator[dict[str, Steps]]:
    envs = kind([partial(StillEnv, shape)] * number, **options)
    actions = np.zeros(number, np.int64)

    def steps(copy: bool) -> Steps:
        def run(count: int) -> None:
            envs.copy = copy
            for _ in range(count):
                envs.step(actions)

        return run

    envs.reset()
    yield {name: steps(copy=False), f"{name} copy": steps(copy=True)}
    envs.close()


@contextmanager
def envpool_steps(number: int) -> Iterator[dict[str, Steps]]:
    """EnvPool's own, if it is installed."""
    try:
        import envpool
    except ImportError:
        yield {}
        return
    small = {"img_height": 84, "img_width": 84, "gray_scale": True, "stack_num": 1}
    contenders: dict[str, Steps] = {}
    for env_id, options in (("CartPole-v1", {}), ("Pong-v5", {**small, "frame_skip": 1})):
        envs = envpool.make(env_id, env_type="gymnasium", num_envs=number, **options)
        envs.reset()

        def run(count: int, envs: Any = envs) -> None:
            actions = np.zeros(number, np.int64)
            for _ in range(count):
                envs.step(actions)

        contenders[f"EnvPool {env_id}"] = run
    yield contenders


def seconds_a_step(steps: Steps, count: int) -> float:
    steps(SETTLING)
    started = time.perf_counter()
    steps(count)
    return (time.perf_counter() - started) / count


def measure(number: int, rounds: int) -> dict[str, float]:
    """Return the median seconds of one step of `number` environments, by contender."""
    with ExitStack() as stack:
        # Those that fork come before those that have sockets and threads. 128 processes with
        # pictures of 1024x768 are no contender but a flood.
        contenders: dict[str, Steps] = {}
        full, small = (*reversed(FULL), 3), TINY
        for kind, options in ((AsyncVectorEnv, {"shared_memory": True}), (SyncVectorEnv, {})):
            if kind is AsyncVectorEnv and number > MOST_PROCESSES:
                continue
            for name, shape in ((kind.__name__, full), (f"{kind.__name__} 84", small)):
                contenders |= stack.enter_context(
                    gymnasium_steps(kind, number, name, *shape, **options)
                )
        contenders |= stack.enter_context(envpool_steps(number))
        remotes = stack.enter_context(idle_remotes(3 * number))
        ours = stack.enter_context(pool_steps(remotes[:number], OURS, None))
        ours |= stack.enter_context(pool_steps(remotes[number : 2 * number], OURS_SMALL, SMALL))
        ours |= stack.enter_context(facade_steps(remotes[2 * number :]))
        tiny = stack.enter_context(idle_remotes(number, size=TINY))
        ours |= stack.enter_context(pool_steps(tiny, OURS_TINY, View(grey=True), TINY))
        ours |= stack.enter_context(copies_alone(number))
        contenders = ours | contenders
        counts = {
            name: max(3, min(2000, int(SHARE / seconds_a_step(steps, 5))))
            for name, steps in contenders.items()
        }
        times: dict[str, list[float]] = {name: [] for name in contenders}
        for _ in range(rounds):
            for name, steps in contenders.items():
                times[name].append(seconds_a_step(steps, counts[name]))
    return {name: statistics.median(seconds) for name, seconds in times.items()}


def unit(name: str) -> str:
    """Return in units of what a contender's figure is given: the same observations of ours."""
    return OURS_SMALL if "84" in name or "EnvPool" in name else OURS


async def straggle(remotes: list[Remote], count: int) -> list[float]:
    """Return by how many seconds each of `count` calls of `recv` missed its deadline."""
    loop = asyncio.get_running_loop()
    late = []
    async with SessionPool(remotes, fps=None, view=SMALL) as pool:
        await pool.reset()
        slots = range(len(remotes))
        for _ in range(count):
            pool.send([[] for _ in slots], slots)
            deadline = loop.time() + DEADLINE
            batch = await pool.recv(min_envs=len(remotes), timeout=DEADLINE)
            if len(batch) < len(remotes):  # the straggler tells that it lives once a second
                late.append(loop.time() - deadline)
            slots = batch.env_ids.tolist()
    return late


def lateness(rounds: int, count: int) -> dict[str, float]:
    """Return how late `recv` was, `count` calls a round: medians of rounds, the most of all."""
    with idle_remotes(STRAGGLING, STRAGGLING - 1) as remotes:
        late = [asyncio.run(straggle(remotes, count)) for _ in range(rounds)]
    middle, most = np.median([np.percentile(seconds, (50, 99)) for seconds in late], axis=0)
    recvs, worst = sum(map(len, late)), max(map(max, late))
    return {"recvs": recvs, "p50": float(middle), "p99": float(most), "max": worst}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="fewer environments and rounds")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--busy", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, nargs=2, default=FULL, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.serve, options.busy, tuple(options.size)))
        return
    numbers, rounds = ((1, 20), 3) if options.quick else ((1, 8, 20, 64, 128), 7)
    results = {number: measure(number, rounds) for number in numbers}
    late = lateness(rounds, 100 if options.quick else 400)
    if options.json:
        ratios = {
            number: {name: seconds / times[unit(name)] for name, seconds in times.items()}
            for number, times in results.items()
        }
        answer = {"unit": "seconds a step", "rounds": rounds, "results": results, "late": late}
        print(json.dumps({**answer, "ratios to SessionPool": ratios}))
        return
    table = Table("", *(f"N={number}" for number in numbers), box=None, pad_edge=False)
    for name in results[numbers[0]]:
        row = (
            f"{t[name] * 1e3:.3f} ({t[name] / t[unit(name)]:.2f})" if name in t else "-"
            for t in results.values()
        )
        table.add_row(name, *row)
    Console(width=110).print(table)
    print(CAPTION)
    if not any("EnvPool" in name for name in results[numbers[0]]):
        print("EnvPool is not installed here (pip install envpool).")
    print(
        f"\n{late['recvs']} recvs that gave up at their deadline, {STRAGGLING - 1} remotes drawing"
        f" and 1 that never does: late by {late['p50'] * 1e3:.2f} ms in the median,"
        f" {late['p99'] * 1e3:.2f} ms at p99 (medians of {rounds} rounds),"
        f" {late['max'] * 1e3:.2f} ms at most."
    )


if __name__ == "__main__":
    main()
