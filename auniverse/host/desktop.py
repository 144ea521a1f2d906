"""A screen of its own for real programs: an X server of TigerVNC, and what runs on it.

The X server listens on loopback only, wants the remote's VNC password from viewers and a random
cookie from X programs. It dies with this process, however that ends, and everything that shows
something on it dies with it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import shutil
import tempfile
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

from auniverse.errors import MissingDependencyError, ProvisionError

from .certificate import Certificate

_log = logging.getLogger(__name__)

#: Seconds for the X server to come up, and for a process that was told to end to do so.
PATIENCE = 10.0
#: Pixels that each side of a screen must have: fewer are no use to an X program.
SMALLEST = 64
#: Ports that are tried if somebody else takes the chosen one first.
ATTEMPTS = 5
#: What programs see of our environment; nothing of it is secret.
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH")
#: How the names of private folders begin; the id of their process follows.
_FOLDER = "auniverse-desktop-"
_COOKIE_NAME = b"MIT-MAGIC-COOKIE-1"


class Desktop:
    """An X server that shows its screen by VNC.

    Used as an asynchronous context manager.

    Args:
        size: Width and height of the screen in pixels.
        port: Where viewers are served; 0 takes a free port.
        bind: The address that it listens on.
        password: What viewers must know, of which VNC authentication looks at 8 characters; None
            lets everybody in.
        certificate: Then viewers get VeNCrypt X509Vnc (without a password X509None), and nothing
            else.

    Attributes:
        password: What viewers must know.
        certificate: What they are shown; None: none.
        port: Where viewers are served, once entered.
        display: Its name for X programs, such as ":1", once entered.
        folder: A private folder that is gone when the desktop is.
    """

    def __init__(
        self,
        size: tuple[int, int] = (1024, 768),
        *,
        port: int = 0,
        bind: str = "127.0.0.1",
        password: str | None = None,
        certificate: Certificate | None = None,
    ) -> None:
        self.size = size
        self.port = port
        self.display = ""
        self.folder = Path()
        self.password = password
        self.certificate = certificate
        self._bind = bind
        self._server: Process | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Start the X server and wait until it takes viewers and programs.

        Raises:
            MissingDependencyError: TigerVNC's X server is not installed.
            ProvisionError: It does not come up; the message ends with its log.
        """
        if shutil.which("Xtigervnc") is None:
            raise MissingDependencyError(
                "desktops need TigerVNC's X server: apt-get install tigervnc-standalone-server"
            )
        try:
            self.folder = Path(self._stack.enter_context(_private_folder()))
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """End the X server, and with it all that runs on it."""
        await self._stack.aclose()

    async def ended(self) -> str:
        """Wait until the X server is gone; return the last lines that it wrote."""
        assert self._server is not None
        await self._server.wait()
        return self._log_tail()

    @property
    def address(self) -> tuple[str, int]:
        """Where a viewer on this machine finds it."""
        return "127.0.0.1" if self._bind in ("", "0.0.0.0") else self._bind, self.port

    @property
    def environment(self) -> dict[str, str]:
        """What programs need to show something here."""
        passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        return {
            **passed_on,
            "DISPLAY": self.display,
            "XAUTHORITY": str(self.folder / "cookies"),
            "XDG_RUNTIME_DIR": str(self.folder),
        }

    async def _start(self) -> None:
        for attempt in range(ATTEMPTS):
            port = self.port or await _free_port(self._bind)
            if await self._try(port):
                self.port = port
                return
            if self.port or attempt == ATTEMPTS - 1:
                raise ProvisionError(f"Xtigervnc does not start on port {port}:{self._log_tail()}")

    async def _try(self, port: int) -> bool:
        """Start the server on a port; False if it ends instead."""
        cookies = self.folder / "cookies"
        cookies.write_bytes(_cookie(secrets.token_bytes(16)))
        width, height = self.size
        options = {
            "-rfbport": str(port),
            "-interface": self._bind,
            "-geometry": f"{width}x{height}",
            "-depth": "24",
            "-auth": str(cookies),
            "-desktop": "auniverse",
            **self._security(),
        }
        arguments = [word for option in options.items() for word in option]
        read_end, write_end = os.pipe()
        try:
            with (self.folder / "server.log").open("wb") as log:
                self._server = server = await asyncio.create_subprocess_exec(
                    *leash(),
                    *("Xtigervnc", *arguments, "-displayfd", str(write_end)),
                    *("-AlwaysShared", "-noreset", "-nolisten", "tcp", "-FrameRate", "60"),
                    pass_fds=(write_end,),
                    stdin=DEVNULL,
                    stdout=log,
                    stderr=log,
                )
        finally:
            os.close(write_end)
        self._stack.push_async_callback(end, server)
        try:
            async with asyncio.timeout(PATIENCE):
                number = await _read_line(read_end)
        except TimeoutError:
            number = ""
        self.display = f":{number}"
        return bool(number)

    def _security(self) -> Mapping[str, str]:
        shown = {}
        if self.certificate is not None:
            shown = dict(zip(("-X509Cert", "-X509Key"), self.certificate.files, strict=True))
        if self.password is None:
            return {"-SecurityTypes": "X509None" if shown else "None", **shown}
        from auniverse.rfb import obscured  # the core's DES is loaded where a password is used

        path = self.folder / "password"
        path.write_bytes(obscured(self.password))
        kind = "X509Vnc" if shown else "VncAuth"
        return {"-SecurityTypes": kind, "-PasswordFile": str(path), **shown}

    def _log_tail(self) -> str:
        log = (self.folder / "server.log").read_text(errors="replace")
        return "\n".join(["", *log.strip().splitlines()[-10:]])


def leash() -> Sequence[str]:
    """Return the words before a command that end it when we end; none where there are none."""
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "KILL") if setpriv else ()


async def end(process: Process) -> None:
    """End a process: tell it, then kill it. Returns when it is gone."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(PATIENCE / 2):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _private_folder() -> tempfile.TemporaryDirectory[str]:
    """Make one that carries our process id, and remove those of hosts that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDER}*-*"):
        owner = folder.name.removeprefix(_FOLDER).partition("-")[0]
        if owner.isdecimal() and not Path("/proc", owner).exists():
            shutil.rmtree(folder, ignore_errors=True)  # another user's stays
    # Programs may still be writing into it while they end.
    return tempfile.TemporaryDirectory(
        prefix=f"{_FOLDER}{os.getpid()}-", ignore_cleanup_errors=True
    )


def _cookie(secret: bytes) -> bytes:
    """Return an X authority file (Xau(3)) with one cookie, for every display."""
    anywhere = (0xFFFF).to_bytes(2, "big")  # FamilyWild
    fields = (b"", b"", _COOKIE_NAME, secret)
    return anywhere + b"".join(len(field).to_bytes(2, "big") + field for field in fields)


async def _free_port(bind: str) -> int:
    probe = await asyncio.start_server(lambda reader, writer: None, bind, 0)
    async with probe:
        return int(probe.sockets[0].getsockname()[1])


async def _read_line(pipe: int) -> str:
    """Read what is written to a pipe up to its end or the first line's, and close it."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(pipe, "rb")
    )
    try:
        return (await reader.readline()).decode().strip()
    finally:
        transport.close()
