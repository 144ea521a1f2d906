"""Remotes as child processes of this one: each a host, `python -m auniverse.host`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from itertools import count, islice

from auniverse.address import Remote
from auniverse.errors import UsageError

from .child import Child
from .fleet import Fleet, Keeper

_HOST = (sys.executable, "-m", "auniverse.host")


@asynccontextmanager
async def launch(
    runtime: str,
    n: int = 1,
    *,
    env_id: str | None = None,
    screen: str = "1024x768",
    lease: float | None = 60.0,
    timeout: float = 60.0,
    command: Sequence[str] = _HOST,
) -> AsyncIterator[Fleet]:
    """Run `n` hosts on this machine for as long as the context lasts.

    They listen on loopback only, and their passwords are random. As many boot at a time as there
    are processors.

    Args:
        runtime: What they run.
        n: How many.
        env_id: The environment to begin with; None: the first reset says.
        screen: The size of their screens, such as "1024x768", or "native".
        lease: Seconds without a client, after which a host ends itself; None: never.
        timeout: Seconds that each may take to boot.
        command: What is run, followed by the arguments.

    Raises:
        RemoteNotReadyError: One did not get ready in time; the message ends with its log.
        ProvisionError: One could not be started or ended at once; likewise.
        UnknownEnvError: The host knows no such environment; it names near ones.
    """
    arguments = [*command, runtime, "--leashed", "--vnc-port=0", "--rewarder-port=0"]
    arguments += [f"--screen={screen}"]
    arguments += [f"--env-id={env_id}"] if env_id is not None else []
    arguments += [f"--lease={lease}"] if lease is not None else []
    gate = asyncio.Semaphore(os.cpu_count() or 1)
    names = (f"{runtime}-{number}" for number in count())
    places: list[Place] = []

    async def start(n: int) -> list[tuple[Remote, Keeper]]:
        places[:] = [place for place in places if not place.ended]
        new = [Place(name, arguments, timeout, gate) for name in islice(names, n)]
        places.extend(new)
        try:
            async with asyncio.TaskGroup() as group:
                boots = [group.create_task(place.boot()) for place in new]
        except ExceptionGroup as failures:  # the first ended the others; it says enough
            await _stop(new)
            raise failures.exceptions[0] from None
        except BaseException:
            await _stop(new)
            raise
        return [(boot.result(), place) for boot, place in zip(boots, new, strict=True)]

    try:
        started = await start(n)
        keepers = {remote.name: keeper for remote, keeper in started}
        yield Fleet((remote for remote, _ in started), keepers, start)
    finally:
        await _stop(places)


async def _stop(places: Iterable[Place]) -> None:
    async with asyncio.TaskGroup() as group:
        for place in places:
            group.create_task(place.stop())


class Place:
    """One remote's place in a launch: a child runs in it, and another one after a replacement.

    Args:
        name: The name of every remote that runs here.
        command: What is run.
        timeout: Seconds that it may take to boot.
        gate: Lets just so many boot at a time.
    """

    def __init__(
        self, name: str, command: Sequence[str], timeout: float, gate: asyncio.Semaphore
    ) -> None:
        self.ended = False
        self._name = name
        self._command = command
        self._timeout = timeout
        self._gate = gate
        self._turn = asyncio.Lock()  # for one replacement after the other
        self._child = Child(name)

    @property
    def alive(self) -> bool:
        """Whether the child runs, or stands still between `pause` and `resume`."""
        return self._child.alive

    @property
    def log_tail(self) -> str:
        """The last lines that the child wrote."""
        return self._child.log_tail

    @property
    def cause_of_death(self) -> str:
        """How the child ended."""
        return self._child.cause_of_death

    async def boot(self) -> Remote:
        """Start the child and wait until it listens; raises as `Child.boot`."""
        async with self._gate:
            if self.ended:
                raise UsageError(f"{self._name} was ended on purpose")
            return await self._child.boot(self._command, self._timeout)

    async def replace(self) -> Remote:
        """Kill the child, whatever it does, and start another; raises as `Child.boot`."""
        async with self._turn:
            await self._child.stop(patiently=False)
            self._child = Child(self._name)
            try:
                return await self.boot()
            except BaseException:
                await self._child.stop(patiently=False)
                raise

    async def refresh(self) -> None:
        """Its end is known as soon as the loop hears of it."""

    async def pause(self) -> None:
        """Freeze the child's process group."""
        self._child.signal(signal.SIGSTOP)

    async def resume(self) -> None:
        """Let the child's process group run on."""
        self._child.signal(signal.SIGCONT)

    async def stop(self) -> None:
        """End the child for good."""
        self.ended = True
        await self._child.stop()
