"""A process that keeps N sessions of one replayer busy, by our client or by asyncvnc.

    python sessions.py ours|asyncvnc PORT N

Both run on the loop that `auniverse.links.run` picks: uvloop where it is installed. It speaks as
epoll_client.c does: "ready" once every session has had an update; then "go SECONDS" on stdin is
answered by JSON, and that ends it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import AsyncExitStack
from typing import Any

from auniverse.address import Remote
from auniverse.links import VNCLink, open_vnc
from auniverse.links import run as run_loop
from auniverse.rfb import Encoding

#: Seconds between two looks at how late the loop is.
PROBE = 0.002
#: How often a second an agent takes what has changed.
FPS = 60


class Ours:
    """Our links, and nothing above them but that the damage is taken 60 times a second."""

    def __init__(self) -> None:
        self._links: list[VNCLink] = []
        self._agent: asyncio.Task[None] | None = None

    async def open(self, port: int, number: int) -> None:
        self._agent = asyncio.create_task(self._take_damage())
        for _ in range(number):
            await self._open_one(port)

    async def _open_one(self, port: int) -> None:
        """Open a session, and return when it has had an update."""
        updated = asyncio.Event()
        link = await open_vnc(
            Remote("127.0.0.1", port, None),
            encodings=(Encoding.ZLIB, Encoding.COPY_RECT, Encoding.RAW),
            wake=updated.set,
        )
        self._links.append(link)
        while not (link.connection.updates or link.fault):
            updated.clear()
            await updated.wait()

    async def _take_damage(self) -> None:
        while True:
            await asyncio.sleep(1 / FPS)
            for link in self._links:
                link.damage.take()

    @property
    def updates(self) -> int:
        for link in self._links:
            if link.fault:
                raise link.fault
        return sum(link.connection.updates for link in self._links)

    async def close(self) -> None:
        if self._agent is not None:
            self._agent.cancel()
        for link in self._links:
            link.abort()


class Asyncvnc:
    """asyncvnc's own reading, one task for each session."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []
        self.updates = 0

    async def open(self, port: int, number: int) -> None:
        import asyncvnc

        for _ in range(number):
            client = await self._stack.enter_async_context(asyncvnc.connect("127.0.0.1", port))
            client.video.refresh()
            await client.read()
            self._tasks.append(asyncio.create_task(self._watch(client)))

    async def _watch(self, client: Any) -> None:
        while True:
            client.video.refresh()
            await client.read()
            self.updates += 1

    async def close(self) -> None:
        for task in self._tasks:
            if task.done():
                task.result()
            task.cancel()
        await self._stack.aclose()


async def late(lags: list[float]) -> None:
    """Note again and again how late the loop wakes us, in seconds."""
    while True:
        due = time.perf_counter() + PROBE  # uvloop's own clock stands still within a round
        await asyncio.sleep(PROBE)
        lags.append(time.perf_counter() - due)


async def run(client: Ours | Asyncvnc, port: int, number: int) -> dict[str, float]:
    """Open the sessions, wait for the word, and measure."""
    loop = asyncio.get_running_loop()
    stdin = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    await client.open(port, number)
    print("ready", flush=True)
    _, seconds = (await stdin.readline()).split()
    lags: list[float] = []
    probe = asyncio.create_task(late(lags))
    updates, cpu, wall = client.updates, time.process_time(), time.perf_counter()
    await asyncio.sleep(float(seconds))
    answer = {
        "updates": client.updates - updates,
        "cpu": time.process_time() - cpu,
        "wall": time.perf_counter() - wall,
    }
    probe.cancel()
    await client.close()
    lags.sort()
    return {**answer, "lag_p99": lags[int(0.99 * len(lags))] if lags else answer["wall"]}


def main() -> None:
    name, port, number = sys.argv[1:]
    client = {"ours": Ours, "asyncvnc": Asyncvnc}[name]()
    print(json.dumps(run_loop(run(client, int(port), int(number)))), flush=True)


if __name__ == "__main__":
    main()
