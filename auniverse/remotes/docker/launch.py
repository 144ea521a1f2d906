"""Containers as remotes: started or taken again, kept running, ended or left for the next time."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager, suppress
from itertools import count, islice
from typing import Any

from auniverse.address import Remote
from auniverse.errors import AuniverseError, ProvisionError
from auniverse.runtimes import runtime as find_runtime

from ..fleet import Fleet, Keeper
from ..ready import wait_ready
from .again import sweep, take_again
from .container import Container, Overtaken, Running
from .engine import Engine, open_engine
from .images import find_image
from .network import provide_network, remove_networks
from .owner import Owner, find_owner
from .place import Place
from .recipe import Recipe
from .watch import watch

_log = logging.getLogger(__name__)

#: Tries to start a container where others are faster.
_TRIES = 4
#: Containers that boot at a time on the largest machine.
_MOST_AT_ONCE = 32
#: Seconds for a spare remote to show that it is well.
_WELL = 5.0
#: Parts of their lease after which spare remotes are looked at, so that it does not end.
_LOOKS = 3

#: Called with a remote's name and what it does: "creating", "booting", "ready", "taken again"; and
#: once with "by hand" and the `docker run` line that gives such a remote.
Progress = Callable[[str, str], None]


@asynccontextmanager
async def launch(
    runtime: str,
    n: int = 1,
    *,
    env_id: str | None = None,
    screen: str = "1024x768",
    lease: float | None = 60.0,
    timeout: float = 60.0,
    client_id: str | None = None,
    docker_image: str | None = None,
    warm: int = 0,
    progress: Progress = lambda name, state: None,
) -> AsyncIterator[Fleet]:
    """Run `n` containers for as long as the context lasts; with a `client_id`, longer.

    Args:
        runtime: What they run.
        n: How many.
        env_id: The environment to begin with; None: the first reset says.
        screen: The size of their screens, such as "1024x768", or "native".
        lease: Seconds without a client, after which one ends itself; None: never.
        timeout: Seconds that each may take to boot.
        client_id: Then they go on after the context, for the runtime's `keep` seconds without a
            client, and are taken again by the next launch with the same id, from whichever process.
        docker_image: Takes the place of the runtime's image.
        warm: So many more are kept ready, to replace others or to join them at once.
        progress: See `Progress`.

    Raises:
        RemoteNotReadyError: One did not get ready in time; the message ends with its log.
        ProvisionError: There is no engine, or no image, or one could not be started.
        UsageError: An argument is wrong.
    """
    found = find_runtime(runtime)
    async with open_engine() as engine:
        owner = find_owner(os.environ)
        image = await find_image(engine, found, docker_image)
        recipe = Recipe.of_launch(
            found,
            image.name,
            owner,
            env_id=env_id,
            screen=screen,
            lease=lease,
            client_id=client_id,
            network=await provide_network(engine, owner, egress=found.egress),
            bind=engine.access.bind,
        )
        yard = Yard(engine, owner, recipe, image.id, timeout, client_id is not None, progress)
        _log.info("containers of %s; one by hand: %s", image.name, recipe.by_hand())
        progress("by hand", recipe.by_hand())
        try:
            started = await yard.open(n, warm)
            keepers = {remote.name: keeper for remote, keeper in started}
            yield Fleet((remote for remote, _ in started), keepers, yard.start)
        finally:
            await yard.close()


def _at_once(engine: Engine) -> int:
    """Return how many containers may boot at a time: half of a boot is waiting."""
    if not engine.follows:  # each holds one of the few requests that may be open, and needs another
        return 2
    return min(4 * (os.cpu_count() or 1), _MOST_AT_ONCE)


class Yard:
    """The containers of one launch."""

    def __init__(
        self,
        engine: Engine,
        owner: Owner,
        recipe: Recipe,
        image_id: str,
        timeout: float,
        keep: bool,
        progress: Progress,
    ) -> None:
        self._engine = engine
        self._owner = owner
        self._recipe = recipe
        self._image_id = image_id
        self._timeout = timeout
        self._keep = keep
        self.progress = progress
        self._containers: dict[str, Container] = {}
        self._spares: list[Running] = []
        self._warm = 0
        self._restocking: asyncio.Task[None] | None = None
        self._places: list[Place] = []
        self._numbers = count()
        self._gate = asyncio.Semaphore(_at_once(engine))
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, n: int, warm: int) -> list[tuple[Remote, Keeper]]:
        """Take what was kept, start the rest; then keep `warm` more ready, in the background."""
        self.spawn(watch(self._engine, self._owner.name, self._containers))
        kept: list[Running] = []
        await sweep(self._engine, self._owner)
        if self._keep:
            kept = await take_again(self._engine, self._owner, self._recipe, self._image_id, n)
        self._containers |= {running.container.id: running.container for running in kept}
        started = await self.start(n, kept)
        self._warm = warm
        self.restock()
        if warm and self._recipe.lease is not None:
            self.spawn(self._look_after_spares(self._recipe.lease / _LOOKS))
        return started

    async def start(self, n: int, kept: Iterable[Running] = ()) -> list[tuple[Remote, Keeper]]:
        """Give so many more remotes: all, or none and a ProvisionError."""
        names = (f"{self._recipe.runtime.name}-{number}" for number in self._numbers)
        places = [Place(self, name) for name in islice(names, n)]
        for place, running in zip(places, kept, strict=False):
            place.take(running)
        self._places += places
        try:
            async with asyncio.TaskGroup() as group:
                fillings = [group.create_task(place.fill()) for place in places]
        except ExceptionGroup as failures:  # the first ended the others; it says enough
            await self._stop(places)
            raise failures.exceptions[0] from None
        except BaseException:
            await self._stop(places)
            raise
        return [(filling.result(), place) for filling, place in zip(fillings, places, strict=True)]

    async def close(self) -> None:
        """End everything, or leave what is kept to whoever comes next."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        held = list(self._containers.values())
        serving = {id(place.running.container) for place in self._places if place.running}
        async with asyncio.TaskGroup() as group:
            for container in held:
                well = id(container) in serving and not container.ended.done()
                group.create_task(self._let_go(container, keep=self._keep and well))
        with suppress(ProvisionError):
            await remove_networks(self._engine, self._owner)

    async def boot(self, name: str, slot: str) -> Running:
        """Create a container, start it, and wait until it is ready.

        Raises:
            RemoteNotReadyError: It takes too long; the message ends with its log.
            ProvisionError: It cannot be started; likewise.
        """
        async with self._gate:
            for attempt in range(1, _TRIES + 1):
                self.progress(name, "creating")
                container = await Container.create(self._engine, self._owner, self._recipe, slot)
                self._containers[container.id] = container
                passwords = self._owner.passwords(container.name)
                try:
                    await container.start(
                        {"vnc_password": passwords.vnc, "rewarder_password": passwords.rewarder}
                    )
                    self.progress(name, "booting")
                    remote = await container.remote(self._recipe, name, passwords)
                    await container.wait_ready(remote, self._timeout)
                except Overtaken:
                    await self.discard(container)
                    if attempt == _TRIES:
                        raise
                    await self._provide_network()
                    continue
                except BaseException:
                    await self.discard(container)
                    raise
                self.progress(name, "ready")
                return Running(container, remote)
        raise AssertionError("the last try raises")

    async def discard(self, container: Container) -> None:
        """End a container, whatever it does; where the engine is away, `close` tries again."""
        if await asyncio.shield(container.remove()):
            self._containers.pop(container.id, None)

    def discard_later(self, container: Container) -> None:
        """End a container in the background."""
        self.spawn(self.discard(container))

    def spare(self) -> Running | None:
        """Return a spare remote that lives, if there is one; another one is begun."""
        found = None
        while self._spares and found is None:
            running = self._spares.pop(0)
            if not running.container.ended.done():
                found = running
        self.restock()
        return found

    def restock(self) -> None:
        """See to it that there are spares again, in the background."""
        if self._warm and (self._restocking is None or self._restocking.done()):
            self._restocking = self.spawn(self._restock())

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do something in the background until the launch ends."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _provide_network(self) -> None:
        egress = self._recipe.runtime.egress
        await provide_network(self._engine, self._owner, egress=egress)

    async def _restock(self) -> None:
        while len(self._spares) < self._warm:
            try:
                self._spares.append(await self.boot("spare", "spare"))
            except ProvisionError as error:
                _log.warning("no spare remote: %s", error)
                return

    async def _look_after_spares(self, period: float) -> None:
        """Look at spares now and then: that begins their lease anew."""
        while True:
            await asyncio.sleep(period)
            for running in list(self._spares):
                with suppress(AuniverseError):
                    await wait_ready(running.remote, _WELL)
                    continue
                if running in self._spares:
                    self._spares.remove(running)
                    self.discard_later(running.container)
            self.restock()

    @staticmethod
    async def _let_go(container: Container, *, keep: bool) -> None:
        if keep or not await container.remove():
            await container.leave()

    async def _stop(self, places: Iterable[Place]) -> None:
        async with asyncio.TaskGroup() as group:
            for place in places:
                group.create_task(place.stop())
