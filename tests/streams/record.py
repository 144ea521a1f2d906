"""Record the corpus anew: `python -m tests.streams.record [--only TEXT]`.

The files beside this one are what real servers sent, one file for each server, workload and
encoding, named in that order. They were recorded from

- `tigervnc`: Xtigervnc 1.12.0, an X server (encoders of its own)
- `x11vnc`: x11vnc 0.9.16 with libvncserver 0.9.14, looking at an Xvfb
- `tightvnc`: Xtightvnc 1.3.10, an X server (the old encoders that everybody's come from; with
  `smooth` at compress level 9 its Tight uses the gradient filter)
- `qemu`: QEMU 7.2.22, a boot sector that draws in VGA mode 13h after the BIOS's text screen, so
  the screen changes its size

They show what `workloads` draws, or `desktop`: two xterms, typing and a moving pointer. In those
called `continuous` updates come without requests, and fences between them. Every file holds the
server, the workload and the command's encodings in its notes. A lossless one also has "crc32": the
CRC-32 of the last picture's RGB bytes, taken over a second connection that got the still screen as
Raw. JPEG (`quality=8`) is lossy, so nothing is known of its last picture.

Needed are the Debian packages of `tests.programs`. Times in the files are
those of a busy machine; nothing depends on them. Files stay below `LIMIT`:
where a server sends more, fewer frames are drawn.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import zlib
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from auniverse.errors import UsageError
from auniverse.links import open_vnc
from auniverse.recording import capture, parse_encodings, play, read, write
from auniverse.rfb import Encoding, KeyEvent, PointerEvent
from tests.servers import qemu, tightvnc, x11vnc
from tests.tigervnc import end, tigervnc, xterm

HERE = Path(__file__).parent
LIMIT = 2_900_000
#: Seconds without a byte after which a screen counts as still; x11vnc looks at all of its screen
#: only every second or so.
STILL = 2.0
#: Every server is offered this too.
ALWAYS = "copyrect,desktopsize"


@dataclass(frozen=True)
class Server:
    program: str  # what it is, in words
    start: object
    kinds: dict[str, str]  # what the file is called -> the encodings
    workloads: tuple[str, ...]


_TIGHT = "tight,lastrect"
SERVERS = {
    "tigervnc": Server(
        "Xtigervnc 1.12.0",
        tigervnc,
        {
            "raw": "raw",
            "hextile": "hextile",
            "zrle": "zrle",
            "tight": _TIGHT,
            "jpeg": f"{_TIGHT},quality=8",
        },
        ("desktop", "game", "scroll", "video"),
    ),
    "x11vnc": Server(
        "x11vnc 0.9.16, libvncserver 0.9.14",
        x11vnc,
        {
            "raw": "raw",
            "rre": "rre",
            "corre": "corre",
            "hextile": "hextile",
            "zlib": "zlib",
            "zrle": "zrle",
            "tight": _TIGHT,
            "jpeg": f"{_TIGHT},quality=8",
        },
        ("desktop", "game"),
    ),
    "tightvnc": Server(
        "Xtightvnc 1.3.10",
        tightvnc,
        {
            "rre": "rre",
            "corre": "corre",
            "hextile": "hextile",
            "zlib": "zlib",
            "tight": f"{_TIGHT},compress=9",
            "jpeg": f"{_TIGHT},quality=6",
        },
        ("desktop", "smooth"),
    ),
    "qemu": Server(
        "QEMU 7.2.22",
        qemu,
        {"raw": "raw", "hextile": "hextile", "zlib": "zlib", "zrle": "zrle", "tight": _TIGHT},
        ("boot",),
    ),
}
#: Files beyond server x workload x kind.
EXTRA = {
    ("tigervnc", "desktop", "cursor"): "zrle,cursor",
    ("tigervnc", "desktop", "continuous"): "zrle,fence,continuousupdates",
    ("tigervnc", "game", "continuous"): f"{_TIGHT},fence,continuousupdates",
}
#: Files that would show nothing that others do not, and are large.
LEFT_OUT = {
    *("tightvnc-desktop-rre", "tightvnc-desktop-corre", "tightvnc-smooth-rre"),
    *("tightvnc-smooth-corre", "tightvnc-smooth-hextile", "tightvnc-smooth-zlib"),
    *("x11vnc-game-raw", "x11vnc-game-rre", "x11vnc-game-hextile", "qemu-boot-hextile"),
}
#: Frames drawn at most, and the size of the screen: large ones where they compress.
FRAMES = {"game": 60, "scroll": 40, "video": 16, "smooth": 12, "desktop": 40, "boot": 40}
FRAMES["continuous"] = 24
BULKY = {"raw", "hextile", "rre", "corre", "continuous"}


@dataclass(frozen=True)
class Stream:
    server: str
    workload: str
    kind: str
    encodings: str
    frames: int

    @property
    def name(self):
        return f"{self.server}-{self.workload}-{self.kind}"

    @property
    def geometry(self):
        if self.workload == "desktop":
            return "480x360" if self.kind == "raw" else "1024x768"
        if self.workload in ("video", "smooth") or self.kind == "raw":
            return "320x240"
        return "480x360" if self.kind in BULKY else "800x600"


def streams():
    wanted = {
        (name, workload, kind): encodings
        for name, server in SERVERS.items()
        for workload in server.workloads
        for kind, encodings in server.kinds.items()
    }
    for (server, workload, kind), encodings in {**wanted, **EXTRA}.items():
        frames = FRAMES[kind if kind in FRAMES else workload]
        stream = Stream(server, workload, kind, f"{encodings},{ALWAYS}", frames)
        if stream.name not in LEFT_OUT:
            yield stream


async def record(stream):
    """Record one stream; with fewer frames if it does not fit."""
    path = HERE / f"{stream.name}.fbs"
    while True:
        captured, checksum = await attempt(stream, path)
        if captured.ended != "bytes":
            break
        stream = replace(stream, frames=stream.frames // 2)
    recording = read(path)
    notes = {**recording.header.notes, "frames": stream.frames}
    if recording.header.lossless:
        notes["crc32"] = checksum
    recording = replace(recording, header=replace(recording.header, notes=notes))
    write(path, recording)
    proof = "not decodable yet"
    with suppress(UsageError):
        connection = play(recording)
        proof = f"{connection.updates} updates, {connection.rectangles} rectangles"
        if recording.header.lossless and checksum_of(connection.framebuffer.pixels) != checksum:
            proof += ", WRONG PICTURE"
    return f"{stream.name:28} {path.stat().st_size / 1e6:6.2f} MB  {stream.frames} frames, {proof}"


async def attempt(stream, path):
    server = SERVERS[stream.server]
    progress, begun = [], asyncio.Event()

    def watch(captured):
        progress[:] = [captured]
        begun.set()

    with tempfile.TemporaryDirectory() as folder:
        size = (stream.geometry,)
        if stream.workload == "boot":
            size = (stream.kind != "raw",)
        async with server.start(Path(folder), *size) as (remote, handle):
            encodings = parse_encodings(stream.encodings)
            cursor = {Encoding.CURSOR} & set(encodings)
            hands = await open_vnc(remote, encodings=(Encoding.RAW, Encoding.DESKTOP_SIZE, *cursor))
            recorder = asyncio.create_task(
                capture(
                    remote,
                    path,
                    encodings=encodings,
                    max_bytes=LIMIT,
                    server=server.program,
                    notes={"workload": stream.workload, "offered": stream.encodings},
                    watch=watch,
                )
            )
            await begun.wait()
            async with showing(stream, hands, handle):
                await still(progress[0])
                hands.refresh()
                await until(lambda: hands.refreshed or hands.fault)
                assert hands.fault is None, hands.fault
                await still(progress[0])
                checksum = checksum_of(hands.pixels)
                # Before the windows close, or the recording would end with that.
                recorder.cancel()
                with suppress(asyncio.CancelledError):
                    await recorder
            await hands.close()
    return progress[0], checksum


@asynccontextmanager
async def showing(stream, hands, handle):
    """Show the workload; the picture stands still when this yields."""
    if stream.workload == "boot":
        await asyncio.sleep(stream.frames / 12)
        await handle("stop")
        yield
    elif stream.workload == "desktop":
        async with xterm(handle, "60x12+5+5"), xterm(handle, "40x10+60+170"):
            await asyncio.sleep(1.0)
            await work_at_the_desk(hands, stream.frames)
            yield
    else:
        window = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.streams.workloads", stream.workload),
            *(str(stream.frames), stream.geometry),
            env={
                **os.environ,
                "DISPLAY": handle,
                "SDL_VIDEODRIVER": "x11",
                "PYGAME_HIDE_SUPPORT_PROMPT": "1",
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            assert await window.stdout.readline() == b"done\n"
            yield
        finally:
            await end(window)


async def work_at_the_desk(hands, strokes):
    """Move the pointer and type, one stroke at a time."""
    windows = ((100, 60), (150, 250))
    for number, line in enumerate(("seq 40\r", "echo auniverse\r", "seq 7 99\r", "echo done\r")):
        x, y = windows[number % 2]
        for step in range(6):
            hands.act([PointerEvent(x + 3 * step, y + 2 * step, 0)])
            await asyncio.sleep(0.05)
        for letter in line[:strokes]:
            code = 0xFF0D if letter == "\r" else ord(letter)
            hands.act([KeyEvent(code, True), KeyEvent(code, False)])
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)


async def still(captured):
    """Wait until the server has sent nothing for a while."""
    loop = asyncio.get_running_loop()
    while not captured.ended.startswith("bytes"):
        left = captured.quiet_since + STILL - loop.time()
        if left <= 0:
            return
        await asyncio.sleep(left)


async def until(condition):
    while not condition():  # noqa: ASYNC110 (nothing tells of it)
        await asyncio.sleep(0.05)


def checksum_of(pixels):
    return zlib.crc32(np.ascontiguousarray(pixels[..., :3]))


async def main(only):
    for stream in streams():
        if only in stream.name:
            sys.stdout.write(f"{await record(stream)}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="streams with this in their name")
    asyncio.run(main(parser.parse_args().only))
