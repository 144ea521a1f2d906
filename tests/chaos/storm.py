"""Many hosts, an agent that plays them all, and everything that can happen to them.

When the storm is over the agent plays on until every slot has come back.
"""

import asyncio
import gc
import os
import random
import re
import signal
import sys
from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from auniverse.remotes import process
from auniverse.vector import SessionPool

from .books import Books
from .host import ENV_ID, HEIGHT, LEDGERS, WIDTH
from .wires import behind_wires

HOST = (sys.executable, "-m", "tests.chaos.host")
#: Every fourth remote is far away (a round trip of 200 ms), every fourth behind 64 kbit/s.
WIRES = ({}, {"latency": 0.1}, {}, {"rate": 8000.0})


@dataclass
class Storm:
    """How bad it is.

    Attributes:
        seconds: How long it lasts.
        remotes: How many there are.
        kill_every: Seconds between two SIGKILLs, of a remote drawn by lot each.
        stall_every: Seconds between two SIGSTOPs, most of them too short to count as a loss.
        reset_every: Seconds between two breaks of a remote's connections.
        silence: What the pool calls silence.
        seed: Of the lot.
    """

    seconds: float
    remotes: int
    kill_every: float
    stall_every: float
    reset_every: float
    silence: float = 5.0
    seed: int = 0


@dataclass
class Log:
    """What happened.

    Attributes:
        hits: How often each thing was done to a remote.
        late: Seconds that slots needed to come back beyond the boot of a process, if there was
            one, and what they needed over their wires at first, from connecting to a frame.
        absent: Seconds from a fault to the first frame after it.
        memory: Resident memory in MiB, from a quarter of the time on, ten times and at the end.
        stats: What the pool counted.
        tally: What the audit counted.
    """

    hits: Counter = field(default_factory=Counter)
    late: list = field(default_factory=list)
    absent: list = field(default_factory=list)
    memory: list = field(default_factory=list)
    stats: dict = field(default_factory=dict)
    tally: dict = field(default_factory=dict)
    books: Books | None = None

    def table(self):
        """The lines to print."""
        yield from (f"{name:<28}{value:>12}" for name, value in self._rows())

    def _rows(self):
        for name, count in sorted(self.hits.items()):
            yield name, count
        yield "results", self.books.results
        yield "episodes, unbroken", self.tally["whole"]
        yield "episodes, broken", self.tally["broken"]
        yield "rewards, all in the ledgers", self.tally["rewards"]
        yield "rewards lost on the way", self.tally["lost"]
        yield "faults told to the agent", self.books.faults
        yield "remotes replaced", self.stats["replaced"]
        for cause, count in sorted(self.stats["causes"].items()):
            yield f"  {cause}", count
        yield "slots that came back", len(self.absent)
        if self.absent:
            yield "absent, median (s)", f"{sorted(self.absent)[len(self.absent) // 2]:.2f}"
            yield "absent, longest (s)", f"{max(self.absent):.2f}"
            yield "beyond the boot, longest (s)", f"{max(self.late):.2f}"
        yield "deadlines missed", self.stats["missed_deadlines"]
        if len(self.memory) > 1:
            yield "memory (MiB), before, after", f"{self.memory[0]:.1f} {self.memory[-1]:.1f}"
            yield "memory, tenth by tenth", " ".join(f"{size:.1f}" for size in self.memory)


class Weather:
    """Does the things that happen to remotes."""

    def __init__(self, storm, fleet, keepers, log):
        self.storm = storm
        self.random = random.Random(storm.seed)
        self.fleet = fleet
        self.keepers = keepers
        self.log = log
        self.hit_at = defaultdict(float)
        self.healing = {}

    async def blow(self):
        """Go on until cancelled."""
        every = {
            self.kill: self.storm.kill_every,
            self.stall: self.storm.stall_every,
            self.reset: self.storm.reset_every,
        }
        async with asyncio.TaskGroup() as group:
            for what, seconds in every.items():
                group.create_task(self._again_and_again(what, seconds))

    async def _again_and_again(self, what, seconds):
        while True:
            await asyncio.sleep(seconds)
            slot = self.random.randrange(len(self.keepers))
            if what == self.stall and slot in self.healing:
                continue  # nobody could tell how long that one takes to come back
            if what != self.reset and not self._child(slot).alive:
                continue  # it boots
            self.hit_at[slot] = asyncio.get_running_loop().time()
            what(slot)

    def _child(self, slot):
        return self.fleet._keepers[self.keepers[slot]._remote.name]._child

    def kill(self, slot):
        self.log.hits["killed"] += 1
        self._child(slot).signal(signal.SIGKILL)

    def stall(self, slot):
        short = self.random.random() < 0.7
        self.log.hits["stalled, for a moment" if short else "stalled, for good"] += 1
        child = self._child(slot)
        child.signal(signal.SIGSTOP)
        if short:
            loop = asyncio.get_running_loop()
            loop.call_later(0.3 * self.storm.silence, child.signal, signal.SIGCONT)

    def reset(self, slot):
        self.log.hits["connections reset"] += 1
        for wire in self.keepers[slot].wires:
            wire.reset()


async def weather(storm, directory):
    """Play through a storm; return the log of it."""
    log = Log(books=Books(range(storm.remotes)))
    loop = asyncio.get_running_loop()
    links = [WIRES[slot % len(WIRES)] for slot in range(storm.remotes)]
    os.environ[LEDGERS] = str(directory)
    began = {}  # for each slot, how long it took from its first connection to its first frame
    async with (
        process.launch(
            "chaos", storm.remotes, env_id=ENV_ID, screen="native", timeout=20.0, command=HOST
        ) as inner,
        behind_wires(inner, links) as (fleet, keepers),
        SessionPool(
            fleet, env_id=ENV_ID, silence=storm.silence, reset_timeout=10.0, retries=20
        ) as pool,  # retries: lots fall as they fall, and a slot may be hit again and again
    ):
        above = Weather(storm, inner, keepers, log)
        lost = above.healing
        begin = loop.time()
        measure_at = begin + storm.seconds / 4
        blowing = asyncio.create_task(above.blow())
        try:
            async for batch in pool:
                now = loop.time()
                for row, slot in enumerate(batch.env_ids.tolist()):
                    info = {key: batch.infos[key][row] for key in ("valid", "reset", "text")}
                    over = bool(batch.terminations[row] or batch.truncations[row])
                    log.books.note(slot, float(batch.rewards[row]), over, info)
                    if not info["valid"]:
                        fault = batch.infos["fault"][row]
                        assert fault["retryable"], (fault, pool.stats()["slots"][row])
                        lost[slot] = now, len(keepers[slot].boots), fault
                    elif info["reset"] and slot not in began:
                        began[slot] = now - begin + pool._slots[slot].opening_s
                        # whoever comes back gets two screens: the old episode's, and its own
                        began[slot] += 2 * 4 * WIDTH * HEIGHT / keepers[slot].wires[0].rate
                    elif info["reset"] and slot in lost:
                        since, boots, fault = lost.pop(slot)
                        log.absent.append(now - since)
                        since = max(since, above.hit_at[slot])
                        excuse = sum(keepers[slot].boots[boots:]) + began[slot]
                        if fault["type"] == "RemoteTimeoutError":  # it was tried once more
                            excuse += 1.0 + 1.5 * began[slot]
                        log.late.append(now - since - excuse)
                if blowing.done() and not blowing.cancelled():
                    blowing.result()  # a storm that ended early was none
                if now > measure_at:
                    log.memory.append(resident())
                    measure_at += storm.seconds * 0.075
                    said = f"{log.books.results} results, {log.books.faults} faults"
                    sys.stderr.write(f"{now - begin:.0f} s: {said}, {log.memory[-1]:.0f} MiB\n")
                if now > begin + storm.seconds:
                    blowing.cancel()
                    if (
                        not lost
                        and now > max(above.hit_at.values(), default=0.0) + 2 * storm.silence
                    ):
                        break
                pool.send([[("KeyEvent", "a", True)]] * len(batch), batch.env_ids)
        finally:
            blowing.cancel()
            await asyncio.wait([blowing])
        log.memory.append(resident())
        log.stats = pool.stats()
    log.tally = log.books.audit(directory)
    return log


def resident():
    """Memory of this process that is in use, in MiB, without what the collector is about to free.

    CPython collects old cycles when they are a quarter more than what lives, so that what asyncio's
    streams and this test's own wires leave behind would look like a leak of up to as much.
    """
    gc.collect()
    return int(re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024


@contextmanager
def nothing_left():
    """Neither processes nor file descriptors are more than before."""
    before = _held()
    yield
    assert _held() == before


def _held():
    lists = Path("/proc/self/task").glob("*/children")
    children = {int(pid) for pids in lists for pid in pids.read_text().split()}
    return children, len(os.listdir("/proc/self/fd"))
