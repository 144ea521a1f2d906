"""One container, from its creation to its end."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import signal
from collections import deque
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import aiodocker
import aiohttp
from aiodocker.containers import DockerContainer
from aiodocker.multiplexed import multiplexed_result_stream

from auniverse.address import Remote
from auniverse.errors import AuniverseError, ProvisionError, RemoteNotReadyError

from ..ready import wait_ready
from .engine import UNREACHABLE, Engine, complaint, speaking
from .network import NETWORK
from .owner import Claim, Owner
from .recipe import Recipe

_log = logging.getLogger(__name__)

#: Lines of its log that are kept of each container, and the letters that are kept of each line.
_TAIL, _LINE = 40, 2000
#: Tries to create a container whose name or port is taken, and to remove one that is busy.
_TRIES = 4
#: Seconds between two tries to remove it, times the try.
_PAUSE = 0.2
#: Seconds for a dead container's log to arrive.
_DRAIN = 0.5
#: Seconds for the engine to finish what is not wanted any more.
_LATE = 10.0

#: What the engine says of what another process did meanwhile, and of nothing else.
_PASSING = ("port is already allocated", f"network {NETWORK}")
#: What the engine says to who asks for what is so already.
_ALREADY = ("No such container", "already paused", "is not paused", "is not running")


class Container:
    """A container that is being created, runs or has ended.

    Attributes:
        name: The engine's name for it.
        id: The engine's id of it.
        claim: Keeps others from taking it; None: somebody else has it.
        ended: Done once it has ended, with how.
    """

    def __init__(
        self, engine: Engine, handle: DockerContainer, name: str, claim: Claim | None
    ) -> None:
        self.name = name
        self.id: str = handle.id
        self.claim = claim
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._engine = engine
        self._handle = handle
        self._tail: deque[str] = deque(maxlen=_TAIL)
        self._said = asyncio.Event()  # something, since it was last looked at
        self._memory = 0
        self._out_of_memory = False
        self._own_pauses = 0  # whose events are still to come
        self._following: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[bool] | None = None

    @property
    def log_tail(self) -> str:
        """The last lines that it wrote."""
        return "\n".join(self._tail)

    # -- life ----------------------------------------------------------------------------------

    @classmethod
    async def create(cls, engine: Engine, owner: Owner, recipe: Recipe, slot: str) -> Container:
        """Create a container under a name that nobody has.

        Raises:
            ProvisionError: The engine refuses.
        """
        for attempt in range(_TRIES):
            name = f"auniverse-{recipe.runtime.name}-{slot}-{secrets.token_hex(4)}"
            claim = owner.claim(name)
            if claim is None:
                continue
            try:
                with speaking(f"cannot create {name}"):
                    try:
                        handle = await _create(engine, recipe.config(slot), name)
                    except aiodocker.DockerError as error:
                        if error.status == 409 and attempt + 1 < _TRIES:  # somebody has the name
                            claim.release()
                            continue
                        raise
            except BaseException:
                claim.release()
                raise
            return cls(engine, handle, name, claim)
        raise ProvisionError(f"cannot create a container for slot {slot}: all its names are taken")

    async def start(self, passwords: Mapping[str, str]) -> None:
        """Start it, tell it its passwords, and begin to read its log.

        Raises:
            Overtaken: Somebody else was faster, and another try may do.
            ProvisionError: The engine refuses.
        """
        with speaking(f"cannot start {self.name}"):
            async with self._handle.attach(stdin=True) as stream:
                try:
                    await self._handle.start()
                except aiodocker.DockerError as error:
                    if any(sign in error.message for sign in _PASSING):
                        raise Overtaken(f"{self.name}: {complaint(error.message)}") from error
                    raise
                await stream.write_in(json.dumps(passwords).encode() + b"\n")
        self.follow()

    async def wait_ready(self, remote: Remote, timeout: float) -> None:
        """Wait until it can be played.

        Raises:
            RemoteNotReadyError: It takes too long; the message ends with its log.
            ProvisionError: It ended before; likewise.
        """
        news = self._said if self._engine.follows else None
        looking = asyncio.create_task(wait_ready(remote, timeout, news))
        try:
            await asyncio.wait((looking, self.ended), return_when=asyncio.FIRST_COMPLETED)
            if looking.done():
                await looking
                return
        except RemoteNotReadyError as error:
            raise RemoteNotReadyError(f"{error}{await self._last_words()}") from None
        except AuniverseError as error:
            raise ProvisionError(f"{remote.name}: {error}{await self._last_words()}") from error
        finally:
            looking.cancel()
            with suppress(asyncio.CancelledError, AuniverseError):
                await looking
        raise ProvisionError(
            f"{remote.name} ended before it was ready: {self.ended.result()}"
            f"{await self._last_words()}"
        )

    async def remote(self, recipe: Recipe, name: str, passwords: tuple[str, str]) -> Remote:
        """Return where it is reached.

        Raises:
            ProvisionError: It publishes no ports, or is gone.
        """
        with speaking(f"cannot look at {self.name}"):
            seen = await self._handle.show()
        self._memory = seen["HostConfig"]["Memory"]
        published = seen["NetworkSettings"]["Ports"] or {}
        ports = []
        for port in (recipe.runtime.vnc_port, recipe.runtime.rewarder_port):
            bindings = published.get(f"{port}/tcp")
            if not bindings:
                if not seen["State"]["Running"]:
                    raise ProvisionError(f"{name} ended at once{await self._last_words()}")
                raise ProvisionError(
                    f"{self.name} does not publish port {port}: its image {recipe.image} or its "
                    "network has none"
                )
            ports.append(int(bindings[0]["HostPort"]))
        access = self._engine.access
        vnc, rewarder = ports
        return Remote(access.host, vnc, rewarder, *passwords, name, route=access.route)

    async def pause(self) -> None:
        """Freeze it; one that is frozen stays so."""
        self._own_pauses += 1
        changed = False
        try:
            changed = await self._switch(self._handle.pause())
        finally:
            self._own_pauses -= not changed  # there will be no event

    async def resume(self) -> None:
        """Let it run on; one that runs does so."""
        await self._switch(self._handle.unpause())

    async def _switch(self, request: Awaitable[None]) -> bool:
        """Return whether that changed anything."""
        with speaking(f"cannot pause or resume {self.name}"):
            try:
                await request
            except aiodocker.DockerError as error:
                if not any(sign in error.message for sign in _ALREADY):
                    raise
                return False
        return True

    async def remove(self) -> bool:
        """Kill it and take it away, as far as the engine lets us; its lease does the rest.

        Returns:
            Whether it is gone; if not, it stays ours.
        """
        await self._stop_following()
        obstacle = await self._delete()
        self.note_end("removed")
        if obstacle:
            _log.warning("cannot remove %s (its lease ends it): %s", self.name, obstacle)
            return False
        self._release()
        return True

    async def _delete(self) -> str:
        """Have the engine delete it; return why it does not, "" if it does."""
        obstacle = ""
        for attempt in range(_TRIES):
            await asyncio.sleep(_PAUSE * attempt)  # "device or resource busy" passes
            try:
                await self._handle.delete(force=True)
            except aiodocker.DockerError as error:
                if error.status in (404, 409):  # gone, or going
                    return ""
                obstacle = complaint(error.message)
                if error.status == UNREACHABLE:
                    break
            except (aiohttp.ClientError, OSError) as error:
                return str(error)
            else:
                return ""
        return obstacle

    async def leave(self) -> None:
        """Let it run, for whoever takes it next."""
        await self._stop_following()
        self._release()

    def _release(self) -> None:
        if self.claim is not None:
            self.claim.release()

    # -- what is heard of it -------------------------------------------------------------------

    def heed(self, event: Mapping[str, Any]) -> None:
        """Take an event of the engine about it."""
        match event.get("Action"):
            case "oom":
                self._out_of_memory = True
            case "pause" if self._own_pauses:
                self._own_pauses -= 1
            case "pause":  # whoever plays it waits for nothing
                self.note_end("paused by somebody else")
                self._ending = asyncio.create_task(self.remove())
            case "die":
                self._note_exit(int(event["Actor"]["Attributes"].get("exitCode", 0)))

    async def check(self) -> None:
        """See whether it still runs, after events may have been missed."""
        try:
            state = (await self._handle.show())["State"]
        except aiodocker.DockerError as error:
            if error.status == 404:
                self.note_end("gone: the engine has no such container any more")
            return
        except (aiohttp.ClientError, OSError):
            return
        self._out_of_memory |= state.get("OOMKilled", False)
        if not state["Running"]:
            self._note_exit(state["ExitCode"])

    def _note_exit(self, code: int) -> None:
        if self._out_of_memory and code == 128 + signal.SIGKILL:
            self.note_end(f"OOM killed at {self._memory // 2**20} MiB")
        elif code > 128:
            self.note_end(f"killed by signal {code - 128}")
        else:
            self.note_end(f"ended with exit code {code}")

    def note_end(self, how: str) -> None:
        """It has ended. Only the first time counts."""
        if not self.ended.done():
            self.ended.set_result(how)

    def follow(self, tail: str = "all") -> None:
        """Begin to read its log."""
        if self._engine.follows:
            self._following = asyncio.create_task(self._follow(tail))

    async def _follow(self, tail: str) -> None:
        # Not by the handle's `log`: cancelled, that would leave its connection open.
        where = f"containers/{self._handle.id}/logs"
        query: dict[str, Any] = {"stdout": True, "stderr": True, "follow": True, "tail": tail}
        for_ever = aiohttp.ClientTimeout()
        with suppress(aiodocker.DockerError, aiohttp.ClientError, OSError):
            async with self._engine.docker._query(where, params=query, timeout=for_ever) as answer:
                try:
                    texts = multiplexed_result_stream(answer)  # type: ignore[no-untyped-call]
                    async for text in texts:
                        self._note(text)
                finally:
                    answer.close()
        await self.check()

    async def _stop_following(self) -> None:
        if self._following is not None:
            self._following.cancel()
            with suppress(asyncio.CancelledError):
                await self._following

    def _note(self, text: str) -> None:
        for line in text[:_LINE].splitlines():
            self._tail.append(line.rstrip())
            _log.debug("%s: %s", self.name, line.rstrip())
        self._said.set()

    async def _last_words(self) -> str:
        if self._following is not None:
            await asyncio.wait((self._following,), timeout=_DRAIN)
        else:
            with suppress(aiodocker.DockerError, aiohttp.ClientError, OSError):
                for text in await self._handle.log(stdout=True, stderr=True, tail=_TAIL):
                    self._note(text)
        return f"; its log ends with:\n{self.log_tail}" if self._tail else "; it logged nothing"


async def _create(engine: Engine, config: Mapping[str, Any], name: str) -> DockerContainer:
    """Create a container. The engine does so even if we stop waiting: then it is removed."""
    creating = asyncio.ensure_future(engine.docker.containers.create(dict(config), name=name))
    try:
        return await asyncio.shield(creating)
    except asyncio.CancelledError:
        with suppress(aiodocker.DockerError, aiohttp.ClientError, OSError):
            async with asyncio.timeout(_LATE):
                await (await creating).delete(force=True)
        raise


class Overtaken(ProvisionError):
    """Between two calls somebody took the port that the engine picked, or removed the network."""


class Running(NamedTuple):
    """A container that is ready, and where."""

    container: Container
    remote: Remote
