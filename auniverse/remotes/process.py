"""Remotes as child processes of this one: each a host, `python -m auniverse.host`.

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
import sys
from asyncio import FIRST_COMPLETED
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
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

from .fleet import Fleet

_log = logging.getLogger(__name__)

_HOST = (sys.executable, "-m", "auniverse.host")
_STDIN, _STDOUT, _STDERR = 0, 1, 2
#: Lines of its log that are kept of each child, and the bytes that are kept of each line.
_TAIL, _LINE = 40, 2000
#: Seconds that a child has to end by itself, and again when told to, before it is killed.
_PATIENCE = 3.0
#: Seconds for a dead child's pipes to run dry; a process that it left behind may hold them open.
_DRAIN = 1.0


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
    children = [Child(f"{runtime}-{index}") for index in range(n)]
    gate = asyncio.Semaphore(os.cpu_count() or 1)

    async def boot(child: Child) -> Remote:
        async with gate:
            return await child.boot(arguments, timeout)

    try:
        try:
            async with asyncio.TaskGroup() as group:
                boots = [group.create_task(boot(child)) for child in children]
        except ExceptionGroup as failures:  # the first ended the others; it says enough
            raise failures.exceptions[0] from None
        yield Fleet((boot.result() for boot in boots), {child.name: child for child in children})
    finally:
        async with asyncio.TaskGroup() as group:
            for child in children:
                group.create_task(child.stop())


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
            code = transport.get_returncode() or 0
            how = f"with exit code {code}" if code >= 0 else f"by signal {-code}"
            raise ProvisionError(f"{self.name} ended {how} before it was ready{self._last_words()}")
        return self._read_answer(vnc_password, rewarder_password)

    async def stop(self) -> None:
        """End it: let go of the leash, then tell it, then kill it. Returns when it is gone."""
        if self._spawning is None:
            return
        try:
            transport, _ = await self._spawning
        except OSError:  # `boot` has raised it
            return
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
