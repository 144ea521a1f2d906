"""A client for tests: a connection on a socket that keeps all it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from auniverse.address import Remote
from auniverse.rfb import Connection, Event, State


class Talker:
    """Asks for updates, one after the other, and notes every event."""

    def __init__(self, connection: Connection, writer: asyncio.StreamWriter) -> None:
        self.connection = connection
        self.heard: list[Event] = []
        self._writer = writer
        self._news = asyncio.Event()

    async def listen(self, reader: asyncio.StreamReader) -> None:
        connection = self.connection
        while data := await reader.read(1 << 16):
            updates = connection.updates
            connection.receive_data(data)
            fresh = connection.events()
            if connection.state is State.OPEN and (connection.updates > updates or not self.heard):
                connection.request_update(incremental=bool(self.heard))
            self.heard += fresh
            self.say()
            self._news.set()

    def say(self) -> None:
        """Send what the connection has to say."""
        self._writer.write(self.connection.data_to_send())

    async def until(self, reached: Callable[[], object], nudge: float | None = None) -> None:
        """Wait; ask again when something came, and after `nudge` seconds in any case."""
        async with asyncio.timeout(20):
            while not reached():
                self._news.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), nudge)

    def told(self, kind: type) -> list[Event]:
        """Return all events of a kind."""
        return [event for event in self.heard if isinstance(event, kind)]


@asynccontextmanager
async def talking(remote: Remote, *encodings: int) -> AsyncIterator[Talker]:
    """Connect, and listen until the end of the block; it ends badly if listening did."""
    reader, writer = await asyncio.open_connection(remote.host, remote.vnc_port)
    connection = Connection(password=remote.vnc_password, encodings=encodings)
    talker = Talker(connection, writer)
    async with asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(talker.listen(reader))
        try:
            await talker.until(lambda: connection.updates)
            yield talker
        finally:
            listening.cancel()
            writer.close()
