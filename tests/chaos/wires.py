"""Bad wires: a TCP proxy in the test's own event loop, and a fleet behind such proxies."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

from auniverse.remotes import Fleet

CHUNK = 4096


class Wire:
    """A port that leads to another one, with a delay and a rate.

    Args:
        latency: Seconds that bytes take, each way.
        rate: Bytes a second, each way.

    Attributes:
        flowing: While it is cleared, nothing gets through, and nobody is told.
    """

    def __init__(self, latency=0.0, rate=float("inf")):
        self.latency = latency
        self.rate = rate
        self.port = 0
        self.target = 0
        self.flowing = asyncio.Event()
        self.flowing.set()
        self._writers = set()
        self._tasks = set()

    async def open(self):
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self):
        self._server.close()
        self.reset()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def reset(self):
        """Break all connections, as a router that lost its memory."""
        for writer in self._writers:
            writer.transport.abort()

    def _accept(self, reader, writer):
        self._writers.add(writer)
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader, writer):
        there = None
        try:
            there_reader, there = await asyncio.open_connection("127.0.0.1", self.target)
            self._writers.add(there)
            async with asyncio.TaskGroup() as group:
                for ends in ((reader, there), (there_reader, writer)):
                    group.create_task(self._carry(*ends))
        except* (OSError, ConnectionError):
            pass
        finally:
            for end in (writer, there):
                if end is not None:
                    self._writers.discard(end)
                    end.transport.abort()

    async def _carry(self, reader, writer):
        """Move bytes from one end to the other; the pipe in between holds what is under way."""
        loop = asyncio.get_running_loop()
        room = asyncio.Semaphore(16)
        under_way = asyncio.Queue()

        async def put():
            while data := await reader.read(CHUNK):
                await room.acquire()
                under_way.put_nowait((loop.time() + self.latency, data))
            under_way.put_nowait((0.0, b""))

        async def take():
            while True:
                due, data = await under_way.get()
                await asyncio.sleep(due - loop.time())
                await self.flowing.wait()
                await asyncio.sleep(len(data) / self.rate)
                if not data:
                    raise ConnectionResetError("one end is closed, so the other closes too")
                writer.write(data)
                await writer.drain()
                room.release()

        async with asyncio.TaskGroup() as group:
            group.create_task(put())
            group.create_task(take())


class Behind:
    """Keeps a remote behind two wires; times how long its replacements boot."""

    def __init__(self, fleet, remote, wires):
        self._fleet = fleet
        self._remote = remote
        self.wires = wires
        self.boots = []

    def aim(self, remote):
        self._remote = remote
        ports = remote.vnc_port, remote.rewarder_port
        for wire, port in zip(self.wires, ports, strict=True):
            wire.target = port
        return replace(remote, vnc_port=self.wires[0].port, rewarder_port=self.wires[1].port)

    alive = property(lambda self: self._fleet.alive(self._remote))
    log_tail = property(lambda self: self._fleet.log_tail(self._remote))
    cause_of_death = property(lambda self: self._fleet.cause_of_death(self._remote))

    async def replace(self):
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            return self.aim(await self._fleet.replace(self._remote))
        finally:
            self.boots.append(loop.time() - began)

    async def refresh(self):
        await self._fleet.refresh(self._remote)

    async def pause(self):
        await self._fleet.pause(self._remote)

    async def resume(self):
        await self._fleet.resume(self._remote)

    async def stop(self):
        await self._fleet.shrink([self._remote])


@asynccontextmanager
async def behind_wires(fleet, links):
    """The fleet, each remote behind two wires made with the options in `links`, and the keepers."""
    keepers = []
    try:
        for remote, options in zip(fleet, links, strict=True):
            keepers.append(Behind(fleet, remote, (Wire(**options), Wire(**options))))
            for wire in keepers[-1].wires:
                await wire.open()
        remotes = [keeper.aim(remote) for keeper, remote in zip(keepers, fleet, strict=True)]
        names = [remote.name for remote in remotes]
        yield Fleet(remotes, dict(zip(names, keepers, strict=True))), keepers
    finally:
        for keeper in keepers:
            for wire in keeper.wires:
                await wire.close()
