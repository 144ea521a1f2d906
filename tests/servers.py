"""Real VNC servers that are not TigerVNC: x11vnc on Xvfb, TightVNC's Xvnc, QEMU."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from itertools import count

from auniverse.address import Remote
from tests.tigervnc import end, free_port, password_file

PASSWORD = "secret12"
#: Older servers cannot look for a free display themselves; ours are counted from here.
DISPLAYS = count(200 + 50 * (os.getpid() % 60))


@asynccontextmanager
async def program(*command, **options):
    """Run a program that says nothing to us; it ends with the block."""
    quiet = {"stdout": asyncio.subprocess.DEVNULL, "stderr": asyncio.subprocess.DEVNULL}
    process = await asyncio.create_subprocess_exec(*command, **{**quiet, **options})
    try:
        yield process
    finally:
        await end(process)


async def listening(port, process):
    """Wait until a server listens (the test's timeout is the limit)."""
    while True:
        assert process.returncode is None, "the server has ended"
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
            continue
        writer.close()
        return


@asynccontextmanager
async def xvfb(geometry="640x480"):
    """An X server without a screen; yields its display."""
    read_end, write_end = os.pipe()
    command = ("Xvfb", "-displayfd", str(write_end), "-screen", "0", f"{geometry}x24")
    async with program(*command, "-nolisten", "tcp", "-noreset", pass_fds=(write_end,)):
        os.close(write_end)
        try:
            display = await asyncio.to_thread(os.read, read_end, 16)
            yield f":{display.decode().strip()}"
        finally:  # not before: it may still have the end of the line to write
            os.close(read_end)


@asynccontextmanager
async def x11vnc(folder, geometry="640x480", *options, security=(), env=None):
    """x11vnc (libvncserver) on Xvfb; yields the remote and the display.

    `security` replaces the options that choose VncAuth with a password file.
    """
    port = free_port()
    passwords = password_file(folder, PASSWORD)
    async with (
        xvfb(geometry) as display,
        program(
            *("x11vnc", "-display", display, "-rfbport", str(port), "-localhost", "-noipv6"),
            "-noshm",  # killed, it would leave that behind
            *(security or ("-rfbauth", str(passwords), "-nopw")),
            *("-forever", "-shared", "-desktop", "auniverse", "-norc", "-no6", "-quiet", *options),
            env=env,
            stdout=asyncio.subprocess.PIPE,
        ) as server,
    ):
        # Not by knocking: in its TLS mode it takes seconds over somebody who says nothing.
        said = await server.stdout.readline()
        assert b"PORT=" in said, said
        yield Remote("127.0.0.1", port, None, vnc_password=PASSWORD), display
        server.kill()  # its own way to end takes as long as its clients like


@asynccontextmanager
async def tightvnc(folder, geometry="640x480", *options, password=True):
    """The X server of TightVNC 1.3; yields the remote and the display."""
    port = free_port()
    taken = os.listdir("/tmp")
    number = next(n for n in DISPLAYS if f".X{n}-lock" not in taken)
    passwords = password_file(folder, PASSWORD)
    async with program(
        *("Xtightvnc", f":{number}", "-rfbport", str(port), "-localhost", "-nolisten", "tcp"),
        *("-geometry", geometry, "-depth", "24", "-alwaysshared", "-desktop", "auniverse"),
        *(("-rfbauth", str(passwords)) if password else ()),
        *options,
    ) as server:
        await listening(port, server)
        yield Remote("127.0.0.1", port, None, vnc_password=PASSWORD), f":{number}"


def boot_sector(graphics):
    """A boot sector in which a pattern moves with every tick of the timer, for ever.

    On the whole screen of mode 13h (320x200, 256 colours), or in the four upper lines of text.
    """
    mode, segment, size = ("b81300 cd10", "00a0", 64000) if graphics else ("", "00b8", 640)
    listing = (
        f"{mode}"  # mov ax, 13h; int 10h
        f"b8{segment} 8ec0 fb"  # mov ax, segment; mov es, ax; sti
        "31db"  # xor bx, bx
        "31ff"  # frame: xor di, di
        "89f8 01d8 30e0 c0e803 2c20 aa"  # pixel: al = ((di + bx) folded) >> 3, minus 32; stosb
        f"81ff{size.to_bytes(2, 'little').hex()} 75ef"  # cmp di, size; jne pixel
        "43 f4 ebe8"  # inc bx; hlt; jmp frame
    )
    return bytes.fromhex(listing).ljust(510, b"\0") + b"\x55\xaa"


@asynccontextmanager
async def qemu(folder, graphics=True, *options, screen=""):
    """QEMU's VNC server; yields the remote and a function that speaks to its monitor.

    Without `screen`, which is more of its `-display vnc=`, it wants no password.
    """
    disk = folder / "disk"
    disk.write_bytes(boot_sector(graphics).ljust(1 << 20, b"\0"))
    number = free_port() - 5900
    async with program(
        *("qemu-system-x86_64", "-nodefaults", "-vga", "std", "-m", "16", "-name", "auniverse"),
        *("-accel", "tcg", "-drive", f"file={disk},format=raw", "-monitor", "stdio", *options),
        *("-display", f"vnc=127.0.0.1:{number},share=force-shared{screen}"),
        stdin=asyncio.subprocess.PIPE,
    ) as machine:

        async def tell(words):
            machine.stdin.write(words.encode() + b"\n")
            await machine.stdin.drain()

        await listening(5900 + number, machine)
        yield Remote("127.0.0.1", 5900 + number, None, vnc_password=None), tell
