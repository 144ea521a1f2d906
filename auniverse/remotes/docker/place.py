"""A place for one remote: whoever keeps it running in a container."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Protocol

from auniverse.address import Remote
from auniverse.errors import UsageError

from .container import Container, Running

#: Seconds for the engine to tell of an end, after the connections' own.
_OBITUARY = 0.5


class Source(Protocol):
    """Where a place gets its containers."""

    def progress(self, name: str, state: str) -> None:
        """Note what a remote does now."""

    def spare(self) -> Running | None:
        """Return one that is ready, if there is one."""

    async def boot(self, name: str, slot: str) -> Running:
        """Start one and wait until it is ready."""

    async def discard(self, container: Container) -> None:
        """End one, whatever it does."""

    def discard_later(self, container: Container) -> None:
        """End one in the background."""


class Place:
    """One remote's place in a launch: a container runs in it, and another after a replacement.

    Attributes:
        running: What runs in it; None: nothing does yet.
    """

    def __init__(self, source: Source, name: str) -> None:
        self.running: Running | None = None
        self._source = source
        self._name = name
        self._ended = False
        self._turn = asyncio.Lock()  # for one replacement after the other

    @property
    def alive(self) -> bool:
        """Whether its container runs, or stands still between `pause` and `resume`."""
        return self.running is not None and not self.running.container.ended.done()

    @property
    def log_tail(self) -> str:
        """The last lines that its container wrote."""
        return self.running.container.log_tail if self.running else ""

    @property
    def cause_of_death(self) -> str:
        """How its container ended, such as "OOM killed at 512 MiB"."""
        ended = self.running and self.running.container.ended
        return ended.result() if ended and ended.done() else ""

    async def refresh(self) -> None:
        """Wait for news of the container's end, if there may be some."""
        if self.running is not None:
            await asyncio.wait((self.running.container.ended,), timeout=_OBITUARY)

    def take(self, running: Running) -> Remote:
        """Let a container be this place's; return its remote under the place's name."""
        self.running = running._replace(remote=replace(running.remote, name=self._name))
        return self.running.remote

    async def fill(self) -> Remote:
        """Have a container run here: the one there is, a spare one, or a new one."""
        if self.running is not None:
            self._source.progress(self._name, "taken again")
            return self.running.remote
        if (spare := self._source.spare()) is not None:
            return self.take(spare)
        slot = self._name.rpartition("-")[2]
        return self.take(await self._source.boot(self._name, slot))

    async def replace(self) -> Remote:
        """End the container, whatever it does, and have another; raises as `Source.boot`."""
        async with self._turn:
            if self._ended:
                raise UsageError(f"{self._name} was ended on purpose")
            if self.running is not None:
                self._source.discard_later(self.running.container)
                self.running = None
            return await self.fill()

    async def pause(self) -> None:
        """Freeze the container."""
        if self.running is not None:
            await self.running.container.pause()

    async def resume(self) -> None:
        """Let the container run on."""
        if self.running is not None:
            await self.running.container.resume()

    async def stop(self) -> None:
        """End the container for good."""
        self._ended = True
        if self.running is not None:
            await self._source.discard(self.running.container)
