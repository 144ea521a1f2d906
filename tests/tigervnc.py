"""Real X servers of TigerVNC, and real programs on them."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import asynccontextmanager

from auniverse.address import Remote
from auniverse.rfb.security import vnc_response


@asynccontextmanager
async def tigervnc(folder, geometry="640x480", password="secret12", **environment):
    """Start Xtigervnc on loopback; yield the remote and the display."""
    passwords = password_file(folder, password)
    port = free_port()
    read_end, write_end = os.pipe()
    server = await asyncio.create_subprocess_exec(
        *("Xtigervnc", "-displayfd", str(write_end), "-rfbport", str(port)),
        *("-interface", "127.0.0.1", "-geometry", geometry, "-depth", "24"),
        *("-SecurityTypes", "VncAuth", "-PasswordFile", str(passwords), "-AlwaysShared"),
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
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
