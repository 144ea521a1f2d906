"""One remote's place in a swarm: a service, whichever node its container is on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from auniverse.address import Remote
from auniverse.errors import ProvisionError, RemoteError, UsageError

from ..docker.owner import Claim
from ..ready import wait_ready
from .board import Board, Service, gone
from .sight import Task

_log = logging.getLogger(__name__)

#: Containers that may fail in a row, or be refused by their nodes for lack of the image, before it
#: is no accident.
_FAILURES = 2


class Waiting(Protocol):
    """Whoever waits until remotes are ready."""

    async def settle(self, berths: list[Berth]) -> None:
        """Wait until each can be played; ProvisionError: one never will."""


class Berth:
    """A place: the keeper of one remote.

    The swarm runs the service on another node if one is lost or drained; that is another task,
    behind another address, and `replace` gives it out.

    Attributes:
        service: What runs in it.
        claim: Keeps other processes from it; None: it is for everybody.
        ready: Where it can be played now; None: nowhere yet.
    """

    def __init__(
        self,
        board: Board,
        service: Service,
        claim: Claim | None,
        waiting: Waiting,
        progress: Callable[[str, str], None],
    ) -> None:
        self.service = service
        self.claim = claim
        self.ready: Remote | None = None
        self._board = board
        self._waiting = waiting
        self._progress = progress
        self._told = ""
        self._held = ""  # the id of the task that was given out
        self._refused = ""  # the id of one that is not to be given out any more
        self._before: set[str] = set()  # ids of tasks that were there before we waited
        self._looking: tuple[str, asyncio.Task[None]] | None = None
        self._timeout = 60.0
        self._log = ""
        self._ended = False
        self._turn = asyncio.Lock()  # for one replacement after the other

    # -- what is known -------------------------------------------------------------------------

    @property
    def alive(self) -> bool:
        """Whether the container that was given out runs, as far as the swarm knows."""
        task = self._board.sight.task(self._held)
        return task is not None and not self._board.sight.death(task)

    @property
    def log_tail(self) -> str:
        """The last lines that it wrote; they are fetched when it has ended."""
        return self._log

    @property
    def cause_of_death(self) -> str:
        """How the container that was given out ended, or why it was moved."""
        if not self._held:
            return ""
        task = self._board.sight.task(self._held)
        return self._board.sight.death(task) if task else "replaced by the swarm a while ago"

    async def refresh(self) -> None:
        """Ask the swarm how it is doing; unanswered, what was known stays."""
        with suppress(ProvisionError):
            await self._board.look()
            task = self._board.sight.task(self._held)
            if task is not None and self._board.sight.death(task):
                self._log = await self._board.log(task) or self._log

    # -- what is waited for --------------------------------------------------------------------

    @property
    def current(self) -> Task | None:
        """The task that counts now; None: there is none, or only one that was refused."""
        task = self._board.sight.current(self.service.id)
        return None if task is None or task.id == self._refused else task

    def begin(self, timeout: float) -> None:
        """Begin to wait until it can be played, for so many seconds."""
        self.ready = None
        self._timeout = timeout
        self._before = {task.id for task in self._board.sight.history(self.service.id)}

    def advance(self) -> asyncio.Task[None] | None:
        """See how far it is after a look of the board; return what else may be waited for.

        Raises:
            ProvisionError: It answers, and yet it can never be played by us.
        """
        task = self.current
        self._tell(task.state if task else "new")
        remote = self._board.remote(self.service, task) if task else None
        if self._looking is not None and (task is None or self._looking[0] != task.id):
            self._stop_looking()  # the swarm has given that one up
        if task is None or remote is None:
            return None
        if self._looking is None:
            looking = asyncio.create_task(wait_ready(remote, self._timeout))
            self._looking = (task.id, looking)
        looking = self._looking[1]
        if looking.done():
            try:
                looking.result()
            except RemoteError as error:
                raise ProvisionError(f"{self.service.remote_name}: {error}") from error
            self.ready, self._held, self._log = remote, task.id, ""
            self._looking = None
            self._tell("ready")
            return None
        return looking

    def end_waiting(self) -> None:
        """Wait no longer."""
        self._stop_looking()

    @property
    def stuck(self) -> bool:
        """Whether the swarm has said that there is no node for it."""
        task = self.current
        return task is not None and task.state == "pending" and bool(task.error)

    @property
    def hopeless(self) -> bool:
        """Whether it has failed too often since it is waited for."""
        history = self._board.sight.history(self.service.id)
        failed = [
            task
            for task in history
            if task.id not in self._before and task.state in ("failed", "rejected")
        ]
        task = self.current
        return len(failed) >= _FAILURES and not (task and task.runs)

    @property
    def last_failed(self) -> Task | None:
        """The last task that failed."""
        history = self._board.sight.history(self.service.id)
        return next((task for task in reversed(history) if task.state == "failed"), None)

    def _tell(self, state: str) -> None:
        if state != self._told:
            self._told = state
            self._progress(self.service.remote_name, state)

    def _stop_looking(self) -> None:
        if self._looking is not None:
            looking = self._looking[1]
            self._looking = None
            looking.cancel()
            looking.add_done_callback(_forget)

    # -- what can be done ----------------------------------------------------------------------

    async def replace(self) -> Remote:
        """Give out the container that the swarm runs in place of the last one.

        If the swarm still believes in that one, or has given up, it is told to run another.

        Raises:
            RemoteNotReadyError: The other one did not get ready in time.
            ProvisionError: It cannot be placed; the message says why, and what helps.
            UsageError: It was ended on purpose.
        """
        async with self._turn:
            if self._ended:
                raise UsageError(f"{self.service.remote_name} was ended on purpose")
            await self._board.look()
            task = self._board.sight.current(self.service.id)
            if task is None:
                raise gone(self.service)
            self._refused = self._held
            if task.id == self._held or not task.wanted:
                self._refused = task.id
                await self._board.move(self.service)
            await self._waiting.settle([self])
            assert self.ready is not None, "whoever is settled is ready"
            return self.ready

    async def pause(self) -> None:
        """Refuse: nobody can freeze a container on another machine through its swarm."""
        raise UsageError(
            f"{self.service.remote_name} is a service of a swarm, and a swarm cannot let one stand "
            "still; only lock-step does"
        )

    async def resume(self) -> None:
        """Let it run on, as it does."""

    async def stop(self) -> None:
        """Take the service away."""
        if not self._ended:
            self._ended = True
            self._stop_looking()
            try:
                await self._board.remove([self.service])
            except ProvisionError as error:
                _log.warning("%s may be left (its lease ends it): %s", self.service.name, error)
            self.release()

    def release(self) -> None:
        """Let other processes have it."""
        if self.claim is not None:
            self.claim.release()


def _forget(looking: asyncio.Task[None]) -> None:
    """Take note of how a look ended that nobody waits for any more."""
    if not looking.cancelled():
        looking.exception()
