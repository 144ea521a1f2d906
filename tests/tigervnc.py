"""Real X servers of TigerVNC, real programs on them, and x11vnc beside them."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import SystemRandom

from auniverse.address import Remote
from auniverse.rfb.security import vnc_response


@asynccontextmanager
async def tigervnc(folder, geometry="640x480", password="secret12", security=(), **environment):
    """Start Xtigervnc on loopback; yield the remote and the display.

    `security` replaces the options that choose VncAuth with a password file.
    """
    passwords = password_file(folder, password)
    port = free_port()
    read_end, write_end = os.pipe()
    server = await asyncio.create_subprocess_exec(
        *("Xtigervnc", "-displayfd", str(write_end), "-rfbport", str(port)),
        *("-interface", "127.0.0.1", "-geometry", geometry, "-depth", "24"),
        *(security or ("-SecurityTypes", "VncAuth")),
        *("-PasswordFile", str(passwords), "-AlwaysShared"),
        *("-nolisten", "tcp", "-noreset", "-desktop", "auniverse"),
        pass_fds=(write_end,),
        stderr=asyncio.subprocess.DEVNULL,
    )
    os.close(write_end)
    try:
        display = await asyncio.to_thread(os.read, read_end, 16)
        remote = Remote("127.0.0.1", port, None, vnc_password=password)
        yield remote, f":{display.decode().strip()}"
    finally:
        os.close(read_end)
        await end(server)


@asynccontextmanager
async def xterm(display, geometry="70x20+20+20"):
    """Start an xterm with a plain shell on a display, its cursor still."""
    terminal = await asyncio.create_subprocess_exec(
        *("xterm", "-geometry", geometry, "-xrm", "XTerm*cursorBlink: false"),
        *("-e", "/bin/sh"),
        env={**os.environ, "DISPLAY": display, "PS1": "$ ", "HISTFILE": ""},
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield terminal
    finally:
        await end(terminal)


@asynccontextmanager
async def x11vnc(display):
    """Show a display through x11vnc too, without a password; yield the port."""
    port = free_port()
    with tempfile.TemporaryFile() as log:
        server = await asyncio.create_subprocess_exec(
            *("x11vnc", "-display", display, "-rfbport", str(port), "-listen", "127.0.0.1"),
            *("-forever", "-shared", "-nopw", "-noxdamage", "-nocursor", "-noipv6", "-nolookup"),
            *("-wait", "10", "-defer", "10", "-norc", "-noxrecord", "-nosel"),
            "-noshm",  # killed, it would leave that behind, of which systems have so much
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
        try:
            said = await server.stdout.readline()
            assert said.startswith(b"PORT="), (said, log.seek(0), log.read()[-2000:])
            yield port
        finally:
            server.kill()  # its own way to end takes as long as its clients like
            await server.wait()


def password_file(folder, password):
    """Write a password as VNC servers keep it: under a key that all of them have always known."""
    padded = password.encode().ljust(8, b"\0")
    path = folder / "passwords"
    path.write_bytes(vnc_response("\x17Rk\x06#NX\x07", padded * 2)[:8])
    return path


async def end(process):
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(5):
            await process.wait()
    except TimeoutError:  # x11vnc's signal handler locks itself up now and then
        process.kill()
        await process.wait()


def free_port():
    """A port for a server that must be told one: none that the kernel gives away meanwhile."""
    first_given = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = SystemRandom().randrange(10_000, first_given)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
