"""Any X program as an environment: started, watched, reset and ended as its YAML says.

The program leads a process group and has a folder of its own as its home, empty whenever it is
started. Some times a second a task looks at what is asked for (the screen, a file, what the program
writes, whether it still runs) and reports what that is worth.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shlex
import shutil
import signal
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections import deque
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np

from auniverse.errors import MissingDependencyError
from auniverse.rfb import Box
from auniverse.runtimes import env as find_env

from .desktop import Desktop, leash
from .lookout import Lookout
from .program import Finding, Metadata, ProgramCrashed, Report, describe
from .xsettings import Settings, read_settings

_log = logging.getLogger(__name__)

#: Looks per second.
RATE = 10.0
#: Seconds that a program has to end after it was told to.
PATIENCE = 3.0
#: Lines of its log in a crash's reason, and bytes that are kept of what nobody has read yet.
TAIL, WAITING = 5, 1 << 18


class XProgram:
    """The `LiveProgram` that runs X programs, one at a time."""

    def __init__(self) -> None:
        self._settings: Settings
        self._desktop: Desktop
        self._report: Report = lambda news: None
        self._process: Process | None = None
        self._lookout: Lookout | None = None
        self._watching: asyncio.Task[None] | None = None
        self._stack = AsyncExitStack()
        self._log: deque[str] = deque(maxlen=TAIL)
        self._written = b""
        self._offset = 0

    async def load(self, env_id: str, desktop: Desktop, report: Report) -> Metadata:
        """Read how a program is run; see `LiveProgram`.

        Raises:
            UsageError: There is no such environment, or its settings make no sense.
            MissingDependencyError: The program is not installed.
            ProgramCrashed: The X server does not answer.
        """
        env = find_env(env_id)
        settings = read_settings(env, desktop.size)
        if shutil.which(settings.command[0]) is None:
            remedy = f": apt-get install {settings.debian}" if settings.debian else ""
            raise MissingDependencyError(
                f"{env_id}: there is no {settings.command[0]} here{remedy}"
            )
        await self.close()
        self._settings, self._desktop, self._report = settings, desktop, report
        screen = Box(0, 0, *desktop.size)
        self._lookout = await self._stack.enter_async_context(Lookout(desktop, screen))
        return describe(env, desktop.size)

    async def reset(self, seed: int | None) -> str | None:
        """Start the program, or reset it if there is a command for that; see `LiveProgram`."""
        await self._look_away()
        if self._settings.reset and self._process and self._process.returncode is None:
            await self._run(self._settings.reset, seed)
            await asyncio.sleep(self._settings.settle)
        else:
            await self._end()
            await self._start(seed)
        self._settings.begin()
        self._written = b""
        self._offset = self._length()
        self._watching = asyncio.create_task(self._watch())
        return ""

    async def close(self) -> None:
        """End the program."""
        await self._look_away()
        await self._end()
        self._lookout = None
        await self._stack.aclose()

    # The process.

    @property
    def _folder(self) -> Path:
        return self._desktop.folder / "program"

    def _fill(self, words: tuple[str, ...], seed: int | None) -> list[str]:
        """Put folder, size and seed into a command."""
        width, height = self._settings.size
        values = {"folder": self._folder, "width": width, "height": height, "seed": seed or 0}
        for key, value in values.items():
            words = tuple(word.replace(f"{{{key}}}", str(value)) for word in words)
        return list(words)

    def _environment(self) -> dict[str, str]:
        return {**self._desktop.environment, "HOME": str(self._folder)}

    async def _start(self, seed: int | None) -> None:
        """Start it, and wait until it shows something."""
        assert self._lookout is not None
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()
        self._log.clear()
        before = (await self._lookout.look(1 / RATE)).copy()
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                *leash(),
                *self._fill(self._settings.command, seed),
                cwd=self._folder,
                env=self._environment(),
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise ProgramCrashed(f"the program cannot be started: {error}") from error
        self._reading = asyncio.create_task(self._read(process))
        try:
            async with asyncio.timeout(self._settings.ready):
                while np.array_equal(await self._lookout.look(1 / RATE), before):
                    if process.returncode is not None:
                        raise ProgramCrashed(await self._last_words(process))
        except TimeoutError:
            raise ProgramCrashed(
                f"{self._settings.command[0]} shows nothing within {self._settings.ready:g} s"
            ) from None
        await asyncio.sleep(self._settings.settle)

    async def _run(self, command: tuple[str, ...], seed: int | None) -> None:
        """Run the command that resets it."""
        words = self._fill(command, seed)
        try:
            process = await asyncio.create_subprocess_exec(
                *leash(), *words, env=self._environment(), stdin=DEVNULL, start_new_session=True
            )
        except OSError as error:
            raise ProgramCrashed(f"the reset command cannot be started: {error}") from error
        try:
            async with asyncio.timeout(self._settings.ready):
                code = await process.wait()
        except TimeoutError:
            code = None
        finally:
            await _end_group(process)
        if code != 0:
            how = "took too long" if code is None else f"ended with exit code {code}"
            raise ProgramCrashed(f"the reset command {shlex.join(words)} {how}")

    async def _read(self, process: Process) -> None:
        """Keep what the program writes: the last lines, and what nobody has heard of yet."""
        assert process.stdout is not None
        while data := await process.stdout.read(1 << 16):
            self._written = (self._written + data)[-WAITING:]
            for line in data.decode(errors="replace").splitlines():
                self._log.append(line[:500])
                _log.info("%s: %s", self._settings.command[0], line[:500])

    async def _last_words(self, process: Process) -> str:
        await asyncio.wait((self._reading,), timeout=1.0)  # a child of its own may hold the pipe
        code = process.returncode or 0
        how = f"ended with exit code {code}" if code >= 0 else f"was killed by signal {-code}"
        last = "".join(f"\n{line}" for line in self._log)
        return f"{self._settings.command[0]} {how}{'; its log ends with:' if last else ''}{last}"

    async def _end(self) -> None:
        """End its whole process group."""
        process, self._process = self._process, None
        if process is not None:
            await _end_group(process)
            await asyncio.wait((self._reading,), timeout=1.0)
            self._reading.cancel()

    # What it earns.

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        process = self._process
        assert process is not None
        try:
            over = False
            while not over:
                ended = process.returncode is not None
                if ended:
                    await asyncio.wait((self._reading,), timeout=1.0)
                over = await self._look(loop.time(), begun)
                if ended and not over:
                    over = True
                    self._report(
                        self._settings.ending(process.returncode)
                        or ProgramCrashed(await self._last_words(process))
                    )
                await asyncio.sleep(1 / RATE)
        except ProgramCrashed as crash:
            self._report(crash)

    async def _look(self, now: float, begun: float) -> bool:
        """Report what is new; return whether the episode is over."""
        settings = self._settings
        finding = Finding(late=bool(settings.limit) and now - begun > settings.limit)
        if settings.lines is not None:
            heard = settings.lines.hear(self._news())
            finding.add(heard.reward, heard.over, heard.score)
            finding.text = heard.text
        if settings.screen is not None:
            assert self._lookout is not None
            finding.see(settings.screen.look(await self._lookout.look(1 / RATE), now))
        return finding.tell(self._report)

    def _news(self) -> bytes:
        """Return what the program has said since the last look."""
        source = self._settings.source
        if source is None:
            written, self._written = self._written, b""
            return written
        try:
            with Path(self._place(source)).open("rb") as file:
                if self._settings.whole:
                    return file.read(WAITING) + b"\n"
                file.seek(self._offset)
                news = file.read(WAITING)
                self._offset += len(news)
                return news
        except OSError:  # it is not there yet
            return b""

    def _length(self) -> int:
        """Return how long the file is that the program writes: an episode begins at its end."""
        source = self._settings.source
        path = Path(self._place(source)) if source is not None else None
        if path is None or (path.is_relative_to(self._folder) and not self._settings.reset):
            return 0
        return path.stat().st_size if path.exists() else 0

    def _place(self, source: str) -> str:
        return source.replace("{folder}", str(self._folder))

    async def _look_away(self) -> None:
        watching, self._watching = self._watching, None
        if watching is not None:
            watching.cancel()
            await asyncio.wait((watching,))


async def _end_group(process: Process) -> None:
    """End a process that leads a group, and what it has started: tell them, then kill them."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            async with asyncio.timeout(PATIENCE):
                await process.wait()
        except TimeoutError:
            continue
    await process.wait()
