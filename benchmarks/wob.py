"""World of Bits: random clicks here, and in the package miniwob's own Gymnasium environment.

Both click at the same random places of one task, one click a step, and look at the screen after
each. A step of ours ends when the page has drawn something or paid a reward (fps=None; the pointer
is left out of the picture, since it moves at once), one of miniwob's when selenium has clicked,
read the page and taken a screenshot. It runs n environments in n processes, we n browsers on one
event loop. The two take turns, and whose turn is over has ended; each figure is the mean of two
rounds. It takes about six minutes, and says on stderr how far it is.

    python benchmarks/wob.py [--quick] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import statistics
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import auniverse
from auniverse.rfb import DEFAULT_ENCODINGS, Encoding

TASK = "click-test-2", "wob.mini.ClickTest2-v0"
#: Whoever takes the pointer's shape apart does not get it in the picture.
NO_POINTER = (*DEFAULT_ENCODINGS, Encoding.CURSOR)
PEER = Path(__file__).parent / "peers" / "miniwob_clicks.py"
CAPTION = """\
Steps and episodes a minute, all environments together; processor is what the whole machine spent,
in percent of one core and for one environment. Ratio: our steps in units of miniwob's."""


def processor_seconds() -> float:
    """Return what all processors have worked since the machine was started."""
    words = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    user, nice, system, _, _, irq, soft = map(int, words[:7])
    return (user + nice + system + irq + soft) / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def ours(n: int) -> Any:
    """Browsers that a pool clicks in; gives the coroutine function that measures."""
    async with (
        auniverse.launch("world-of-bits", n=n, env_id=TASK[1], timeout=120) as remotes,
        auniverse.SessionPool(
            remotes, env_id=TASK[1], fps=None, encodings=NO_POINTER, reset_timeout=60
        ) as pool,
    ):
        dice = [random.Random(slot) for slot in range(n)]
        await pool.reset(seed=0)

        def click(slot: int) -> list[tuple[str, int, int, int]]:
            x, y = dice[slot].randrange(160), dice[slot].randrange(50, 210)
            return [("PointerEvent", x, y, 1), ("PointerEvent", x, y, 0)]

        async def measure(seconds: float) -> dict[str, float]:
            loop = asyncio.get_running_loop()
            steps = episodes = 0
            slots, events = list(range(n)), [click(slot) for slot in range(n)]
            begun, worked = loop.time(), processor_seconds()
            while loop.time() - begun < seconds:
                pool.send(events, slots)
                batch = await pool.recv(min_envs=1, timeout=5.0)
                slots = batch.env_ids.tolist()
                over = batch.terminations | batch.truncations
                began = batch.infos["reset"]
                drawn = (batch.infos["damage_pixels"] > 0) | (batch.rewards != 0) | over
                steps += int((drawn & ~began).sum())
                episodes += int(over.sum())
                clicks = (drawn | began).tolist()  # the others wait on
                events = [
                    click(slot) if now else [] for slot, now in zip(slots, clicks, strict=True)
                ]
            return rates(n, steps, episodes, loop.time() - begun, processor_seconds() - worked)

        yield measure


@asynccontextmanager
async def theirs(n: int) -> Any:
    """Processes of selenium's environments; gives the coroutine function that measures once."""
    environment = {
        **os.environ,
        "MINIWOB_CHROME_BINARY": shutil.which("chromium") or "",
        "MINIWOB_CHROMEDRIVER": shutil.which("chromedriver") or "",
    }
    peers: list[Process] = []
    try:
        for slot in range(n):
            peer = await asyncio.create_subprocess_exec(
                *(sys.executable, str(PEER), TASK[0], str(slot)),
                env=environment,
                stdin=PIPE,
                stdout=PIPE,
            )
            peers.append(peer)
        for peer in peers:
            if await heard(peer) != b"ready\n":
                raise SystemExit("miniwob's environment does not start")

        async def measure(seconds: float) -> dict[str, float]:
            loop = asyncio.get_running_loop()
            begun, worked = loop.time(), processor_seconds()
            tell(peers)
            await asyncio.sleep(seconds)
            tell(peers)
            took, worked = loop.time() - begun, processor_seconds() - worked
            results = [json.loads(await heard(peer)) for peer in peers]
            steps, episodes = (sum(r[key] for r in results) for key in ("steps", "episodes"))
            return rates(n, steps, episodes, took, worked)

        yield measure
    finally:
        for peer in peers:
            try:
                async with asyncio.timeout(20):
                    await peer.wait()
            except TimeoutError:
                peer.kill()


def tell(peers: list[Process]) -> None:
    for peer in peers:
        assert peer.stdin is not None
        peer.stdin.write(b"\n")


async def heard(peer: Process) -> bytes:
    assert peer.stdout is not None
    async with asyncio.timeout(120):
        return await peer.stdout.readline()


def rates(n: int, steps: int, episodes: int, took: float, worked: float) -> dict[str, float]:
    return {
        "steps_per_minute": steps / took * 60,
        "episodes_per_minute": episodes / took * 60,
        "processor_percent_per_remote": worked / took / n * 100,
    }


async def compare(n: int, seconds: float, rounds: int) -> dict[str, dict[str, float]]:
    """Measure both in turns."""
    results: dict[str, list[dict[str, float]]] = {"auniverse": [], "miniwob": []}
    for number in range(1, rounds + 1):
        for name, contender in (("auniverse", ours), ("miniwob", theirs)):
            async with contender(n) as measure:
                results[name].append(await measure(seconds))
            steps = f"{results[name][-1]['steps_per_minute']:.0f} steps a minute"
            print(f"n={n}, round {number}: {name}, {steps}", file=sys.stderr, flush=True)
    return {
        name: {key: statistics.fmean(run[key] for run in runs) for key in runs[0]}
        for name, runs in results.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="n = 1 and 4, one short round")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args()
    for program, package in (("chromium", "chromium"), ("chromedriver", "chromium-driver")):
        if shutil.which(program) is None:
            raise SystemExit(f"{program} is not installed: apt-get install {package}")
    sizes, seconds, rounds = ((1, 4), 5.0, 1) if options.quick else ((1, 4, 8), 15.0, 2)
    results = {n: asyncio.run(compare(n, seconds, rounds)) for n in sizes}
    ratios = {
        n: result["auniverse"]["steps_per_minute"] / result["miniwob"]["steps_per_minute"]
        for n, result in results.items()
    }
    if options.json:
        print(json.dumps({"task": TASK[1], "results": results, "ratio_steps": ratios}))
        return
    table = Table("n", "", "steps/min", "episodes/min", "processor", "ratio", caption=CAPTION)
    for n, result in results.items():
        for name, found in result.items():
            ratio = f"{ratios[n]:.1f}" if name == "auniverse" else ""
            figures = [f"{value:.0f}" for value in found.values()]
            table.add_row(str(n), name, *figures[:2], f"{figures[2]} %", ratio)
    Console().print(table)


if __name__ == "__main__":
    main()
