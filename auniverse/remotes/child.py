"""One host as a child process.

A child is held on a leash: it ends when its standard input does, so it also dies with a parent
that was killed. It gets its passwords as one JSON line on standard input (arguments can be seen by
every user of the machine) and answers with its ports, which the kernel has chosen, as one JSON line
on standard output. Everything else that it writes goes to our log at DEBUG and, the last lines of
it, into the errors.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
import signal
from asyncio import FIRST_COMPLETED
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import cast

from auniverse.address import Remote
from auniverse.errors import (
    AuniverseError,
    MissingDependencyError,
    ProvisionError,
    RemoteNotReadyError,
    UnknownEnvError,
    UnknownRuntimeError,
    UsageError,
)

_log = logging.getLogger(__name__)

_STDIN, _STDOUT, _STDERR = 0, 1, 2
#: Lines of its log that are kept of each child, and the bytes that are kept of each line.
_TAIL, _LINE = 40, 2000
#: Seconds that a child has to end by itself, and again when told to, before it is killed.
_PATIENCE = 3.0
#: Seconds for a dead child's pipes to run dry; a process that it left behind may hold them open.
_DRAIN = 1.0

#: What a host may refuse before it serves; anything else is this machine's fault.
_REFUSALS: dict[str, type[AuniverseError]] = {
    kind.__name__: kind
    for kind in (MissingDependencyError, UnknownEnvError, UnknownRuntimeError, UsageError)
}


class Child(asyncio.SubprocessProtocol):
    """One host as a child process.

    Its pipes are read by callbacks, with no task in between: it can never block on a full pipe,
    whatever our side is waiting for.
    """

    def __init__(self, name: str) -> None:
        loop = asyncio.get_running_loop()
        self.name = name
        self._tail: deque[str] = deque(maxlen=_TAIL)
        self._partial = {_STDOUT: b"", _STDERR: b""}
        self._spawning: asyncio.Future[tuple[asyncio.SubprocessTransport, Child]] | None = None
        self._answer: asyncio.Future[str] = loop.create_future()
        self._exited: asyncio.Future[None] = loop.create_future()
        self._drained: asyncio.Future[None] = loop.create_future()

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._spawning is not None and not self._exited.done()

    @property
    def log_tail(self) -> str:
        """The last lines that it wrote."""
        return "\n".join(self._tail)

    @property
    def cause_of_death(self) -> str:
        """How it ended: by which signal, or with which exit code; "" while it lives."""
        if self._spawning is None or not self._exited.done():
            return ""
        code = self._spawning.result()[0].get_returncode() or 0
        return f"ended with exit code {code}" if code >= 0 else f"killed by signal {-code}"

    async def boot(self, command: Sequence[str], timeout: float) -> Remote:
        """Start it and wait until it listens.

        Raises:
            RemoteNotReadyError: It took longer than `timeout` seconds.
            ProvisionError: It could not be started, ended before it listened, or talks nonsense.
        """
        # VNC authentication looks at 8 characters only (RFC 6143 §7.2.2).
        vnc_password, rewarder_password = secrets.token_urlsafe(6), secrets.token_urlsafe(24)
        credentials = {"vnc_password": vnc_password, "rewarder_password": rewarder_password}
        try:
            async with asyncio.timeout(timeout):
                transport = await self._spawn(command)
                stdin = cast(asyncio.WriteTransport, transport.get_pipe_transport(_STDIN))
                stdin.write(json.dumps(credentials).encode() + b"\n")
                await asyncio.wait((self._answer, self._exited), return_when=FIRST_COMPLETED)
        except TimeoutError:
            raise RemoteNotReadyError(
                f"{self.name} was not ready after {timeout:g} s{self._last_words()}"
            ) from None
        except OSError as error:
            raise ProvisionError(f"{self.name}: cannot start {command[0]}: {error}") from error
        if not self._answer.done():
            await asyncio.wait((self._drained,), timeout=_DRAIN)
        if not self._answer.done():
            how = self.cause_of_death
            raise ProvisionError(f"{self.name}: {how} before it was ready{self._last_words()}")
        return self._read_answer(vnc_password, rewarder_password)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it and to what it has started; nothing if it has ended."""
        if self._spawning is not None and self._spawning.done() and self.alive:
            # It leads a process group, which nobody can take over before its end is taken note of;
            # that a thread of asyncio's may do a moment before we hear of it.
            with suppress(ProcessLookupError):
                os.killpg(self._spawning.result()[0].get_pid(), number)

    async def stop(self, *, patiently: bool = True) -> None:
        """End it: let go of the leash, then tell it, then kill it. Returns when it is gone.

        Args:
            patiently: Give it time to end by itself; if not, it is killed at once.
        """
        if self._spawning is None:
            return
        try:
            transport, _ = await self._spawning
        except OSError:  # `boot` has raised it
            return
        self.signal(signal.SIGCONT if patiently else signal.SIGKILL)  # a frozen one hears nothing
        try:
            cast(asyncio.WriteTransport, transport.get_pipe_transport(_STDIN)).close()
            await asyncio.wait((self._exited,), timeout=_PATIENCE)
            if self.alive:
                _log.warning("%s goes on without its leash; ending it", self.name)
                transport.terminate()
                await asyncio.wait((self._exited,), timeout=_PATIENCE)
        finally:
            transport.close()  # kills it if it still runs
            await asyncio.wait((self._drained,), timeout=_DRAIN)

    async def _spawn(self, command: Sequence[str]) -> asyncio.SubprocessTransport:
        loop = asyncio.get_running_loop()
        # A session of its own, so that Ctrl-C in the terminal is for the parent alone.
        self._spawning = asyncio.ensure_future(
            loop.subprocess_exec(lambda: self, *command, start_new_session=True)
        )
        # It takes milliseconds; one that is cancelled half-way runs on for `stop` to find it.
        transport, _ = await asyncio.shield(self._spawning)
        _log.debug("%s is process %d", self.name, transport.get_pid())
        return transport

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Take what it wrote."""
        *lines, rest = (self._partial[fd] + data).split(b"\n")
        self._partial[fd] = rest[:_LINE]
        for line in lines:
            self._note(fd, line)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """Take a last line that has no end."""
        if self._partial.get(fd):
            self._note(fd, self._partial.pop(fd))

    def process_exited(self) -> None:
        """It is gone; its pipes may still hold something."""
        self._exited.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone and its pipes are empty."""
        self._drained.set_result(None)

    def _note(self, fd: int, line: bytes) -> None:
        text = line[:_LINE].decode(errors="replace").rstrip()
        if fd == _STDOUT and not self._answer.done():
            self._answer.set_result(text)
            return
        self._tail.append(text)
        _log.debug("%s: %s", self.name, text)

    def _last_words(self) -> str:
        return f"; its log ends with:\n{self.log_tail}" if self._tail else "; it logged nothing"

    def _read_answer(self, vnc_password: str, rewarder_password: str) -> Remote:
        answer = self._answer.result()
        try:
            told = json.loads(answer)
        except ValueError:
            told = None
        match told:
            case {"vnc_port": int(vnc), "rewarder_port": int(rewarder)} if (
                0 < vnc < 65536 and 0 < rewarder < 65536
            ):
                passwords = vnc_password, rewarder_password
                return Remote("127.0.0.1", vnc, rewarder, *passwords, self.name)
            case {"error": str(kind), "reason": str(reason)}:
                raise _REFUSALS.get(kind, ProvisionError)(reason)
        raise ProvisionError(
            f"{self.name} answered {answer[:200]!r} instead of its ports{self._last_words()}"
        )
