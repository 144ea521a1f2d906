"""Remotes in the test's own event loop that can be lost, replaced, cut off and frozen."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

from auniverse.errors import ProvisionError
from auniverse.host import Host
from auniverse.remotes import Fleet
from tests.chaos.wires import Wire
from tests.meter import ENV_ID, Meter


class Kept:
    """Keeps one meter running."""

    def __init__(self, name, fps):
        self.name = name
        self.fps = fps
        self.alive = False
        self.log_tail = f"the log of {name}"
        self.cause_of_death = ""
        self.broken = False
        self.told = []

    async def start(self):
        self.host = Host(Meter(self.fps), env_id=ENV_ID, screen="native", password="secret12")
        opening = asyncio.ensure_future(self.host.__aenter__())
        try:
            await asyncio.shield(opening)
        except asyncio.CancelledError:  # asyncio itself would forget about a socket that listens
            await opening
            await self.host.__aexit__(None, None, None)
            raise
        self.alive, self.cause_of_death = True, ""
        return replace(self.host.remote, name=self.name)

    async def kill(self):
        if self.alive:
            self.alive, self.cause_of_death = False, "killed by signal 9"
            await self.host.__aexit__(None, None, None)

    async def replace(self):
        self.told.append("replace")
        await self.kill()
        if self.broken:
            raise ProvisionError("no room")
        return await self.start()

    async def refresh(self):
        pass

    async def pause(self):
        self.told.append("pause")

    async def resume(self):
        self.told.append("resume")

    stop = kill


@asynccontextmanager
async def kept(count, fps=200.0):
    """A fleet of meters, and its keepers."""
    keepers = []

    async def start(n):
        new = [Kept(f"meter-{len(keepers) + i}", fps) for i in range(n)]
        keepers.extend(new)
        return [(await keeper.start(), keeper) for keeper in new]

    try:
        started = await start(count)
        named = {remote.name: keeper for remote, keeper in started}
        yield Fleet([remote for remote, _ in started], named, start), keepers
    finally:
        for keeper in keepers:
            await keeper.kill()


@asynccontextmanager
async def wired(remote):
    """A remote behind a wire for each of its ports, and the wires."""
    wires = Wire(), Wire()
    for wire, port in zip(wires, (remote.vnc_port, remote.rewarder_port), strict=True):
        wire.target = port
        await wire.open()
    try:
        yield replace(remote, vnc_port=wires[0].port, rewarder_port=wires[1].port), wires
    finally:
        for wire in wires:
            await wire.close()
