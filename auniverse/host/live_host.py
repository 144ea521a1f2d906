"""One remote that is a desktop: its viewers are the X server's, its rewarder is ours.

Theory of operation. A live program runs by itself; one task here, `_play`, decides what becomes of
it. All that happens goes through one queue: requests of peers, outcomes and crashes of the program,
somebody's coming. The task takes one thing after the other, so a reset and a crash never cross.
An episode that has ended is followed by the next at once, as in Universe, while somebody is
connected; otherwise by the first who comes.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal, Self

from auniverse.address import Remote, Route
from auniverse.errors import AuniverseError, UsageError
from auniverse.rewarder import Request, ResetRequest, Server, StepRequest

from .certificate import Certificate
from .desktop import SMALLEST, Desktop
from .host import LOOPBACK
from .program import LiveProgram, Metadata, Outcome, ProgramCrashed
from .rewarder_server import RewarderServer
from .stage import MAX_FAILURES, NOTHING, ProgramFailed, announcement, info_of, read_size

_log = logging.getLogger(__name__)

#: Seconds that a program may take to show the first picture of an episode.
RESET_TIMEOUT = 60.0
#: Seconds between two looks at what is due.
BEAT = 1.0
#: Requests and reports that may wait while an episode begins.
MAX_WAITING = 256

#: None: somebody came or went, or nothing happened for a beat.
_Happening = Request | Outcome | ProgramCrashed | None


class LiveHost:
    """The far side of a program on a desktop; see `Host` for the arguments and attributes.

    Args:
        program: What runs.
        env_id: See `Host`, and so are the others.
        vnc_port: Where the X server serves viewers.
        rewarder_port: See there.
        bind: See there.
        password: See there.
        rewarder_password: See there.
        screen: "<width>x<height>" of the desktop; "native" is 1024x768.
        lease: Seconds without any peer of the rewarder after which `run` returns; None: never.
        certificate: See there.

    Raises:
        UsageError: `screen` cannot be read.
    """

    remote: Remote
    _loop: asyncio.AbstractEventLoop

    def __init__(
        self,
        program: LiveProgram,
        *,
        env_id: str | None = None,
        vnc_port: int = 0,
        rewarder_port: int = 0,
        bind: str = "127.0.0.1",
        password: str | None = "openai",
        rewarder_password: str | None = "",
        screen: str = "1024x768",
        lease: float | None = None,
        certificate: Certificate | None = None,
    ) -> None:
        self._program = program
        self._env_id = env_id
        self._bind = bind
        self._ports = vnc_port, rewarder_port
        self._passwords = password, password if rewarder_password == "" else rewarder_password
        self._lease = lease
        size = read_size(screen, SMALLEST)
        self._route = Route(pin=certificate.pin) if certificate else Route()
        self._desktop = Desktop(
            size, port=vnc_port, bind=bind, password=password, certificate=certificate
        )
        nothing = replace(NOTHING, width=size[0], height=size[1])
        self._rewarder = Server(password=self._passwords[1], env_id=None, fps=60.0, v1=nothing)
        self._peers = RewarderServer(
            self._rewarder,
            now=self._now,
            asked=self._asked,
            changed=self._peers_changed,
            tls=certificate.context if certificate else None,
        )
        self._metadata: Metadata | None = None
        self._running = False
        self._failures = 0  # since an episode last ended well
        self._happenings: asyncio.Queue[_Happening] = asyncio.Queue()
        self._left_at: float | None = None

    async def __aenter__(self) -> Self:
        """Start the desktop, load the environment, begin its first episode, listen.

        Raises:
            AuniverseError: Something that it needs is missing, or does not start.
            ProgramFailed: The program cannot be reset.
            OSError: A port is taken.
        """
        self._loop = asyncio.get_running_loop()
        self._offset = datetime.now(UTC).timestamp() - self._loop.time()
        await self._desktop.__aenter__()
        try:
            if self._env_id is not None:
                await self._load(self._env_id)
                await self._begin(None)
            await self._peers.listen(self._bind, self._ports[1])
        except BaseException:
            await self._close()
            raise
        self.remote = Remote(
            LOOPBACK.get(self._bind, self._bind),
            self._desktop.port,
            self._peers.port,
            *self._passwords,
            route=self._route,
        )
        self._left_at = self._loop.time()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close all connections, the program and the desktop."""
        await self._close()

    async def run(self) -> None:
        """Play until the lease ends or the task is cancelled.

        Raises:
            ProgramFailed: The program fails again and again, or the X server is gone.
        """
        last_words = asyncio.create_task(self._desktop.ended())
        playing = asyncio.create_task(self._play())
        try:
            await asyncio.wait((last_words, playing), return_when=asyncio.FIRST_COMPLETED)
        finally:
            over = playing.done()
            playing.cancel()
            last_words.cancel()
            await asyncio.wait((last_words, playing))
        if not over:
            raise ProgramFailed(f"the X server ended:{last_words.result()}")
        playing.result()

    async def _close(self) -> None:
        try:
            await self._peers.close()
            await self._program.close()
        finally:
            await self._desktop.__aexit__(None, None, None)

    def _now(self) -> float:
        """Return unix seconds that never jump."""
        return self._loop.time() + self._offset

    # What happens.

    def _asked(self, request: Request) -> None:
        if self._happenings.qsize() >= MAX_WAITING:
            self._rewarder.reply_error(request, "too many requests at once", self._now())
        else:
            self._happenings.put_nowait(request)

    def _reported(self, news: Outcome | ProgramCrashed) -> None:
        if self._happenings.qsize() >= MAX_WAITING:
            _log.error("the program reports too much: %s is lost", news)
        else:
            self._happenings.put_nowait(news)

    def _peers_changed(self) -> None:
        self._left_at = None if self._rewarder.peers else self._loop.time()
        self._happenings.put_nowait(None)

    async def _play(self) -> None:
        """Take one happening after the other until the lease is over."""
        while not self._lease_is_over():
            try:
                async with asyncio.timeout(BEAT):
                    happening = await self._happenings.get()
            except TimeoutError:
                self._rewarder.heartbeat(self._now())
                happening = None
            await self._take(happening)
            if self._metadata and not self._running and self._rewarder.peers:
                await self._begin(None)
            self._peers.flush()

    def _lease_is_over(self) -> bool:
        if self._lease is None or self._left_at is None:
            return False
        over = self._loop.time() - self._left_at >= self._lease
        if over:
            _log.info("no client for %g s: the lease is over", self._lease)
        return over

    async def _take(self, happening: _Happening) -> None:
        match happening:
            case ResetRequest():
                await self._reset(happening)
            case StepRequest():
                refusal = "a desktop runs by itself: there is no lock-step"
                self._rewarder.reply_error(happening, refusal, self._now())
            case Outcome() if self._running:
                self._report(happening)
            case ProgramCrashed() if self._running:
                self._failed(happening)
                self._report(Outcome(0.0, True, False, None, {"reason": str(happening)}))

    # Episodes.

    async def _reset(self, request: ResetRequest) -> None:
        try:
            if request.lockstep:
                raise UsageError("a desktop runs by itself: there is no lock-step")
            if request.seed is not None and request.seed < 0:
                raise UsageError(f"a seed of {request.seed}: expected 0 or more")
            if request.env_id != self._rewarder.env_id:
                await self._load(request.env_id)
        except (AuniverseError, ProgramCrashed) as refusal:
            self._rewarder.reply_error(request, str(refusal), self._now())
            return
        await self._begin(request.seed)
        self._rewarder.reply_reset(request, self._now())

    async def _load(self, env_id: str) -> None:
        self._metadata = await self._program.load(env_id, self._desktop, self._reported)
        self._running = False

    async def _begin(self, seed: int | None) -> None:
        """Begin an episode; a program that does not is started anew, but not for ever."""
        self._announce("resetting")
        self._running = False
        assert self._metadata is not None
        while True:
            try:
                async with asyncio.timeout(RESET_TIMEOUT):
                    if self._failures:
                        await self._load(self._metadata.env_id)
                    text = await self._program.reset(seed)
                break
            except ProgramCrashed as crash:
                self._failed(crash)
            except TimeoutError:
                self._failed(ProgramCrashed(f"no first picture within {RESET_TIMEOUT:g} s"))
        self._running = True
        self._announce("running")
        if text is not None:
            self._rewarder.text({"instruction": text}, self._now())
        self._peers.flush()

    def _failed(self, crash: ProgramCrashed) -> None:
        _log.error("%s: %s", self._metadata and self._metadata.env_id, crash)
        self._failures += 1
        if self._failures > MAX_FAILURES:
            raise ProgramFailed(f"the program keeps failing: {crash}") from crash

    def _report(self, outcome: Outcome) -> None:
        now = self._now()
        if outcome.text is not None:
            self._rewarder.text({"instruction": outcome.text}, now)
        over = outcome.terminated or outcome.truncated
        self._rewarder.reward(outcome.reward, over, info_of(outcome), now)
        self._running = not over
        if over and "reason" not in outcome.info:
            self._failures = 0

    def _announce(self, env_state: Literal["resetting", "running"]) -> None:
        loaded = self._metadata
        assert loaded is not None
        now = self._now()
        self._rewarder.set_state(
            env_state, now, env_id=loaded.env_id, fps=loaded.fps, v1=announcement(loaded)
        )
        self._peers.flush()
