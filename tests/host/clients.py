"""A viewer and an agent: the real client cores on plain asyncio streams."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from itertools import count

from websockets.asyncio.client import connect

from auniverse import rewarder, rfb
from auniverse.host import Host


async def until(condition):
    """Let the loop turn until the condition holds (the test's timeout is the limit)."""
    while not condition():  # noqa: ASYNC110 (nothing tells of it)
        await asyncio.sleep(0)


class Watcher:
    """Looks at a screen and asks for more as soon as it has something."""

    def __init__(self, reader, writer, **options):
        self.connection = rfb.Connection(**options)
        self.reader, self.writer = reader, writer

    async def until(self, seen):
        """Read until `seen(connection)` is true; returns what it is."""
        while not (result := seen(self.connection)):
            self.writer.write(self.connection.data_to_send())
            data = await self.reader.read(65536)
            if data:
                self.connection.receive_data(data)
            else:
                self.connection.receive_eof()
            for event in self.connection.events():
                if isinstance(event, rfb.Opened | rfb.Updated):
                    self.connection.request_update()
        self.writer.write(self.connection.data_to_send())
        return result

    async def frame(self, number):
        """Read until frame `number` is shown; returns a copy of the RGB picture."""
        await self.until(lambda c: c.frame is not None and c.frame.number >= number)
        return self.picture()

    def picture(self):
        return self.connection.framebuffer.pixels[:, :, :3].copy()

    async def ended(self):
        """Read until the host hangs up."""
        while await self.reader.read(65536):
            pass


@asynccontextmanager
async def watching(host, **options):
    options = {"password": host.remote.vnc_password} | options
    reader, writer = await asyncio.open_connection(host.remote.host, host.remote.vnc_port)
    try:
        yield Watcher(reader, writer, **options)
    finally:
        writer.close()


class Agent:
    """Talks to a rewarder and keeps every event that it was told."""

    def __init__(self, socket, connection):
        self.socket, self.connection = socket, connection
        self.heard = []
        self.clock = count()

    async def hear(self, kind, fits=lambda event: True):
        """Read until an event of that kind that fits; returns it."""
        while True:
            for text in self.connection.data_to_send():
                await self.socket.send(text)
            self.connection.receive_text(await self.socket.recv(), float(next(self.clock)))
            events = self.connection.events()
            self.heard += events
            for event in events:
                if isinstance(event, kind) and fits(event):
                    return event

    async def reset(self, env_id, seed=None, lockstep=False):
        """Reset; returns the describe of the new episode."""
        if self.connection.described is None:
            await self.hear(rewarder.Described)
        self.connection.send_reset(env_id=env_id, seed=seed, fps=60.0, now=0.0, lockstep=lockstep)
        reply = await self.hear(rewarder.ResetReplied)
        described = self.connection.described
        assert (described.env_state, described.episode_id) == ("running", reply.episode_id)
        return described

    async def step(self, events=(), frames=1):
        """Step in lock-step; returns the reply and the rewards that came before it."""
        before = len(self.heard)
        self.connection.send_step(events, frames=frames, now=0.0)
        reply = await self.hear(rewarder.StepReplied)
        return reply, [e for e in self.heard[before:] if isinstance(e, rewarder.Rewarded)]


@asynccontextmanager
async def agent(host, **options):
    connection = rewarder.Connection(**{"password": host.remote.rewarder_password} | options)
    url = f"ws://{host.remote.host}:{host.remote.rewarder_port}"
    async with connect(url, additional_headers=connection.upgrade_headers()) as socket:
        yield Agent(socket, connection)


@asynccontextmanager
async def playing(program, **options):
    """Run a host of `program`; what its `run` raises is raised here."""
    async with Host(program, **options) as host:
        run = asyncio.create_task(host.run())
        yield host
        if run.done():
            run.result()
        run.cancel()
