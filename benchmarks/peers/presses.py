"""How long a key takes to become a pixel: our client, and asyncvnc; libvnc_press.c does the same.

    python presses.py ours|asyncvnc PORT X Y PRESSES SEED [REPLAYER]

Both run on the loop that `auniverse.links.run` picks: uvloop where it is installed. With the port
of a replayer, 16 sessions of ours are fed by it on the same loop meanwhile.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Awaitable, Callable

from sessions import Ours

from auniverse.address import Remote
from auniverse.links import VNCLink, open_vnc
from auniverse.links import run as run_loop
from auniverse.rfb import KeyEvent

BUSY = 16
SPACE = 0x20

#: Presses the key, waits until the pixel has changed, and returns the seconds between the two.
Press = Callable[[], Awaitable[float]]


async def ours(port: int, x: int, y: int, presses: int, seed: int) -> list[float]:
    """Watch the live screen whenever the link wakes us."""
    changed = asyncio.Event()
    before = -1

    watched: list[VNCLink] = []  # the link, once it has a screen to look at

    def look() -> None:
        for link in watched:
            link.damage.take()
            if link.pixels[y, x, 0] != before:
                changed.set()

    link = await open_vnc(Remote("127.0.0.1", port, None), wake=look)
    watched.append(link)

    async def press() -> float:
        nonlocal before
        before = link.pixels[y, x, 0]
        changed.clear()
        pressed = time.perf_counter()  # uvloop's own clock stands still within a round
        link.act([KeyEvent(SPACE, True)])
        await changed.wait()
        return time.perf_counter() - pressed

    seconds = await rhythm(presses, seed, press, lambda: link.act([KeyEvent(SPACE, False)]))
    await link.close()
    return seconds


async def asyncvnc(port: int, x: int, y: int, presses: int, seed: int) -> list[float]:
    """Read until the pixel has changed, always with a request armed; a task reads meanwhile."""
    import asyncvnc

    async with asyncvnc.connect("127.0.0.1", port) as client:
        changed = asyncio.Event()
        before = -1
        client.video.refresh()

        async def read() -> None:
            while True:
                if await client.read() is asyncvnc.UpdateType.VIDEO:
                    client.video.refresh()
                    if client.video.data[y, x, 0] != before:
                        changed.set()

        async def press() -> float:
            nonlocal before
            before = client.video.data[y, x, 0]
            changed.clear()
            pressed = time.perf_counter()
            hold.append(client.keyboard.hold(" "))
            hold[-1].__enter__()
            await changed.wait()
            return time.perf_counter() - pressed

        hold: list[object] = []
        reader = asyncio.create_task(read())
        seconds = await rhythm(presses, seed, press, lambda: hold.pop().__exit__(None, None, None))  # type: ignore[attr-defined]
        reader.cancel()
    return seconds


async def rhythm(
    presses: int, seed: int, press: Press, release: Callable[[], object]
) -> list[float]:
    """Press again and again, 40 to 60 ms after the pixel; return the seconds that each took."""
    rng = random.Random(seed)
    seconds = []
    for _ in range(presses):
        await asyncio.sleep(rng.uniform(0.04, 0.06))
        async with asyncio.timeout(5):
            seconds.append(await press())
        release()
    return seconds


async def run(client: str, *numbers: int) -> list[float]:
    """Measure, with busy sessions beside it if there is a port for them."""
    *place, presses, seed = numbers[:5]
    others = Ours()
    if len(numbers) > 5:
        await others.open(numbers[5], BUSY)
    seconds = await {"ours": ours, "asyncvnc": asyncvnc}[client](*place, presses, seed)
    await others.close()
    return seconds


if __name__ == "__main__":
    print(*run_loop(run(sys.argv[1], *map(int, sys.argv[2:]))))
