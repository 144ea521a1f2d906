"""A worker as a child process of this one, on a leash: it ends when its standard input does."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

from auniverse.errors import WorkerLostError

from .orders import Order
from .wire import frame, read
from .worker import Worker

_log = logging.getLogger(__name__)

#: Seconds that a worker has to end by itself, and again when told to, before it is killed.
_PATIENCE = 3.0
#: What to do about ends, by exit code.
REMEDIES = {
    -9: "that is mostly want of memory: take fewer remotes or smaller screens",
}
#: Characters of what it logged last that are kept.
_TAIL = 4000


class WorkerProcess(Worker):
    """One worker as a child process.

    Args:
        name: See `Worker`.
        file: The descriptor of the shared memory.
        hear: See `Worker`.
    """

    #: An interpreter and its imports, on a machine that has much else to do.
    boot = 60.0

    def __init__(self, name: str, file: int, hear: Callable[[Any], None]) -> None:
        super().__init__(name, hear)
        self._file = file
        self._tail = ""

    async def __aenter__(self) -> Self:
        try:
            # A session of its own, so that Ctrl-C in the terminal is for the parent alone.
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "auniverse.vector.crew", str(self._file)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                pass_fds=(self._file,),
                start_new_session=True,
            )
        except OSError as error:
            raise WorkerLostError(f"{self.name} cannot be started: {error}") from error
        _log.debug("%s is process %d", self.name, self._process.pid)
        self._reading = self._loop.create_task(self._read())
        self._logging = self._loop.create_task(self._read_log())
        return self

    async def __aexit__(self, *failure: object) -> None:
        process = self._process
        assert process.stdin is not None
        ends = (process.stdin.close, process.terminate, process.kill)
        try:
            graceful = self.opened.done() and not self.frozen  # before, there is nothing to lose
            for end in ends if graceful else ends[2:]:
                with suppress(ProcessLookupError):
                    end()
                with suppress(TimeoutError):
                    async with asyncio.timeout(_PATIENCE):
                        await process.wait()
                        break
        finally:
            if process.returncode is None:  # whoever waits was cancelled
                with suppress(ProcessLookupError):
                    process.kill()
            process.stdin.close()
            for task in (self._reading, self._logging):
                task.cancel()
            await asyncio.wait((self._reading, self._logging))

    def _send(self, orders: list[Order]) -> None:
        assert self._process.stdin is not None
        if not self._process.stdin.is_closing():
            self._process.stdin.write(frame(orders))

    async def lost(self) -> WorkerLostError:
        """Wait until it ends; return why."""
        await self._reading
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await self._process.wait()
                await self._logging
        code = self._process.returncode  # None: it goes on without its pipe
        if code is None:
            how = "closed its pipe"
        elif code < 0:
            how = f"was killed by signal {-code}"
        else:
            how = f"ended with exit code {code}"
        said = f"; its log ends with:\n{self._tail.rstrip()}" if self._tail else ""
        return WorkerLostError(f"{self.name} {how}{said}", remedy=REMEDIES.get(code or 0, ""))

    async def _read(self) -> None:
        assert self._process.stdout is not None
        with suppress(EOFError):
            while True:
                self._take(await read(self._process.stdout))

    async def _read_log(self) -> None:
        assert self._process.stderr is not None
        while data := await self._process.stderr.read(_TAIL):
            text = data.decode(errors="replace")
            self._tail = (self._tail + text)[-_TAIL:]
            _log.debug("%s: %s", self.name, text.rstrip())
