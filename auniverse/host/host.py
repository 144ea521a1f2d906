"""One remote in one event loop: a program, its viewers and its rewarder's peers, in real time.

Theory of operation. Everything but listening and closing is a plain call made by the loop: a tick
of the clock, bytes of a viewer, a message of a peer. So between two calls the screen always shows
whole frames, and nothing here needs a lock. A program that takes long to draw or to reset holds
everybody up that long.

The clock ticks at the environment's fps while somebody is connected. A peer that resets in
lock-step stops it: then each of its steps lets just so many frames pass. Viewers' keys and
pointers mean nothing in the meantime (two hands on one clock would make the run unrepeatable).
Lock-step ends with a reset that does not ask for it, or when that peer leaves.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Self

from auniverse.address import Remote, Route
from auniverse.errors import AuniverseError, UsageError
from auniverse.rewarder import Peer, Request, ResetRequest, Server, StepRequest
from auniverse.rfb import KeyEvent, PointerEvent

from .certificate import Certificate
from .program import Program
from .rewarder_server import RewarderServer
from .rfb_server import RFBServer
from .stage import NOTHING, Stage

_log = logging.getLogger(__name__)

_EVENTS: dict[str, Callable[..., KeyEvent | PointerEvent]] = {
    "KeyEvent": KeyEvent,
    "PointerEvent": PointerEvent,
}

#: Where clients find a host that listens everywhere.
LOOPBACK = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}


class Host:
    """The far side: runs a program for whoever connects.

    Used as an asynchronous context manager: inside it, both ports listen; `run` plays.

    Attributes:
        remote: Where it can be reached, passwords included; valid once entered.
    """

    remote: Remote
    _loop: asyncio.AbstractEventLoop
    _ended: asyncio.Future[None]

    def __init__(
        self,
        program: Program,
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
        """Prepare a host.

        Args:
            program: What runs.
            env_id: What it begins with; None: nothing, until a client asks for something.
            vnc_port: Where viewers are served; 0 takes a free port.
            rewarder_port: Where peers of the rewarder are served; 0 takes a free port.
            bind: The address of both.
            password: What clients must know; None lets everybody in.
            rewarder_password: Another one for the rewarder; "" means the same.
            screen: "native" (the program's own size) or "<width>x<height>", to which it is fitted.
            lease: Seconds without any client after which `run` returns; None: never.
            certificate: Then nothing passes outside TLS: viewers get VeNCrypt X509Vnc (without a
                password X509None), peers of the rewarder wss.

        Raises:
            UsageError: `screen` cannot be read.
        """
        self._env_id = env_id
        self._ports = vnc_port, rewarder_port
        self._bind = bind
        self._passwords = password, password if rewarder_password == "" else rewarder_password
        self._lease = lease
        self._route = Route(pin=certificate.pin) if certificate else Route()
        tls = certificate.context if certificate else None
        self._rewarder = Server(password=self._passwords[1], env_id=None, fps=60.0, v1=NOTHING)
        self._stage = Stage(program, self._rewarder, screen)
        self._viewers = RFBServer(
            self._stage.screen,
            password=self._passwords[0],
            changed=self._clients_changed,
            tls=tls,
        )
        self._peers = RewarderServer(
            self._rewarder,
            now=self._now,
            asked=self._answer,
            changed=self._clients_changed,
            tls=tls,
        )
        self._stepper: Peer | None = None
        self._tick_timer: asyncio.TimerHandle | None = None
        self._lease_timer: asyncio.TimerHandle | None = None
        self._due = 0.0

    async def __aenter__(self) -> Self:
        """Load the environment, begin its first episode, listen.

        Raises:
            AuniverseError: The environment cannot be loaded.
            ProgramFailed: It cannot be reset.
            OSError: A port is taken.
        """
        self._loop = asyncio.get_running_loop()
        self._offset = datetime.now(UTC).timestamp() - self._loop.time()
        self._ended = self._loop.create_future()
        try:
            if self._env_id is not None:
                self._stage.load(self._env_id)
                self._stage.begin(None, self._now())
            await self._viewers.listen(self._bind, self._ports[0])
            await self._peers.listen(self._bind, self._ports[1])
        except BaseException:
            await self._close()
            raise
        host = LOOPBACK.get(self._bind, self._bind)
        self.remote = Remote(
            host, self._viewers.port, self._peers.port, *self._passwords, route=self._route
        )
        self._clients_changed()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close all connections and the program."""
        await self._close()

    async def run(self) -> None:
        """Play until the lease ends or the task is cancelled.

        Raises:
            ProgramFailed: The program fails again and again.
        """
        await self._ended

    async def _close(self) -> None:
        self._end()
        await self._viewers.close()
        await self._peers.close()
        self._stage.close()

    def _end(self, failure: Exception | None = None) -> None:
        """Stop the clock and let `run` return, or raise `failure`."""
        for timer in (self._tick_timer, self._lease_timer):
            if timer is not None:
                timer.cancel()
        if self._ended.done():
            return
        if failure is None:
            self._ended.set_result(None)
        else:
            self._ended.set_exception(failure)

    def _now(self) -> float:
        """Return unix seconds that never jump."""
        return self._loop.time() + self._offset

    # Who is there, and what that means for the clock.

    def _clients_changed(self) -> None:
        """Somebody came or went."""
        if self._ended.done():
            return
        if self._stepper is not None and self._stepper not in self._rewarder.peers:
            self._stepper = None
            self._stage.set_lockstep(False, self._now())
        if self._clients():
            if self._lease_timer is not None:
                self._lease_timer.cancel()
                self._lease_timer = None
        elif self._lease_timer is None and self._lease is not None:
            self._lease_timer = self._loop.call_later(self._lease, self._lease_over)
        self._wind()

    def _clients(self) -> int:
        return len(self._viewers.watching()) + len(self._rewarder.peers)

    def _lease_over(self) -> None:
        _log.info("no client for %g s: the lease is over", self._lease)
        self._end()

    def _wind(self) -> None:
        """Let the clock tick just while somebody is there and nobody steps by hand."""
        ticking = bool(self._clients()) and self._stepper is None and not self._ended.done()
        if not ticking or self._stage.metadata is None:
            if self._tick_timer is not None:
                self._tick_timer.cancel()
                self._tick_timer = None
        elif self._tick_timer is None:
            self._due = self._loop.time()
            self._schedule(self._stage.metadata.fps)

    def _schedule(self, fps: float) -> None:
        # A tick that comes late does not move those after it, but none is ever made up for.
        self._due = max(self._due + 1 / fps, self._loop.time())
        self._tick_timer = self._loop.call_at(self._due, self._tick)

    # What the loop calls.

    def _tick(self) -> None:
        """Let one frame pass in real time."""
        assert self._stage.metadata is not None
        self._schedule(self._stage.metadata.fps)
        with self._fatal():
            now = self._now()
            self._take_inputs(now, self._stage.press)
            if self._stage.over:
                self._stage.begin(None, now)
            else:
                self._stage.advance(now)
            self._publish()

    def _answer(self, request: Request) -> None:
        """Do what a peer asks for."""
        if self._ended.done():
            return
        with self._fatal():
            if isinstance(request, ResetRequest):
                self._reset(request)
            elif isinstance(request, StepRequest):
                self._step(request)
            self._publish()
            self._wind()

    def _reset(self, request: ResetRequest) -> None:
        now = self._now()
        try:
            if request.seed is not None and request.seed < 0:
                raise UsageError(f"a seed of {request.seed}: expected 0 or more")
            if request.env_id != self._rewarder.env_id:
                self._stage.load(request.env_id)
        except AuniverseError as refusal:
            self._rewarder.reply_error(request, str(refusal), now)
            return
        self._take_inputs(now, None)
        self._stepper = request.peer if request.lockstep else None
        self._stage.begin(request.seed, now, lockstep=request.lockstep)
        self._rewarder.reply_reset(request, self._now())

    def _step(self, request: StepRequest) -> None:
        now = self._now()
        if request.peer is not self._stepper:
            self._rewarder.reply_error(request, "not in lock-step: reset with lockstep", now)
            return
        if self._stage.over:
            self._rewarder.reply_error(request, "the episode is over: reset", now)
            return
        self._take_inputs(now, None)
        for kind, *values in request.events:
            self._stage.press(_EVENTS[kind](*values))
        for _ in range(request.frames):
            self._stage.advance(now, announce=True)
            if self._stage.over:
                break
        self._rewarder.reply_step(request, self._stage.frame, self._now())

    def _take_inputs(
        self, now: float, press: Callable[[KeyEvent | PointerEvent], None] | None
    ) -> None:
        """Read what viewers did. Without `press` it comes to nothing, and still counts as read."""
        lifted, self._viewers.left_behind = self._viewers.left_behind, []
        if press is not None:
            for event in lifted:
                press(event)
        for link in self._viewers.watching():
            inputs = link.take_inputs()
            if press is not None:
                for event in inputs:
                    press(event)
            link.viewer.note_inputs(len(inputs), now)

    def _publish(self) -> None:
        self._viewers.update()
        self._peers.flush()

    @contextmanager
    def _fatal(self) -> Iterator[None]:
        """A failure in here ends the host: the loop alone would log it and go on."""
        try:
            yield
        except Exception as failure:
            self._end(failure)
