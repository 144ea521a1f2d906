"""What servers can do beyond pictures, by those that can: each told of, used, and seen to work."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import numpy as np
import pytest

from auniverse.links import open_vnc
from auniverse.rfb import (
    LINKS,
    CursorChanged,
    CutText,
    Encoding,
    KeysExtended,
    LayoutChanged,
    LightsChanged,
    Resized,
)
from auniverse.rfb.decoders.pseudo import Audio
from tests.links.test_links import OFFERS
from tests.servers import qemu, tightvnc, x11vnc
from tests.tigervnc import tigervnc, xterm

from .talk import talking

pytestmark = pytest.mark.apt

#: QEMU's screen once the boot sector has its own.
DRAWN = (640, 400)
SOME_TEXT = "Gruß, ☃ und 日本\nzweite Zeile"


@asynccontextmanager
async def running(display, *command, **options):
    """Run an X program."""
    environment = {**os.environ, "DISPLAY": display}
    options = {"stderr": asyncio.subprocess.DEVNULL, **options}
    process = await asyncio.create_subprocess_exec(*command, env=environment, **options)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def clipboard(display):
    """Return what an X program pastes."""
    command = ("xclip", "-selection", "clipboard", "-out")
    async with running(display, *command, stdout=asyncio.subprocess.PIPE) as process:
        return (await process.stdout.read()).decode()


def test_the_extended_clipboard_both_ways(tmp_path):
    offer = (Encoding.RAW, Encoding.EXTENDED_CLIPBOARD)

    async def main():
        async with (
            tigervnc(tmp_path, "320x240") as (remote, display),
            talking(remote, *offer) as us,
        ):
            await us.until(lambda: us.connection._clipboard.ready)
            copy = ("xclip", "-selection", "clipboard", "-in", "-quiet")
            async with running(display, *copy, stdin=asyncio.subprocess.PIPE) as process:
                process.stdin.write(SOME_TEXT.encode())
                process.stdin.close()
                await us.until(lambda: CutText(SOME_TEXT) in us.heard)
            us.connection.send_cut_text(SOME_TEXT[::-1])
            us.say()
            async with asyncio.timeout(10):
                while await clipboard(display) != SOME_TEXT[::-1]:
                    pass

    asyncio.run(main())


def test_nobody_is_offered_our_clipboard_unasked():
    assert all(Encoding.EXTENDED_CLIPBOARD not in offer for offer in LINKS.values())


def test_sizes_that_others_wish_for_and_that_cannot_be(tmp_path):
    offer = (Encoding.RAW, Encoding.EXTENDED_DESKTOP_SIZE)

    async def main():
        async with AsyncExitStack() as stack:
            remote, _ = await stack.enter_async_context(tigervnc(tmp_path, "320x240"))
            one, other = [await stack.enter_async_context(talking(remote, *offer)) for _ in "12"]
            await one.until(lambda: one.connection.monitors)
            one.connection.request_size(500, 300)
            one.say()
            for client in (one, other):
                await client.until(lambda client=client: client.told(Resized))
                (resized,) = client.told(Resized)
                assert resized[:2] == (500, 300)
                assert client.connection.framebuffer.pixels.shape == (300, 500, 4)
            one.connection.request_size(1, 0xFFFF)
            one.say()
            await one.until(lambda: [e for e in one.told(LayoutChanged) if e.status])
            assert one.connection.framebuffer.pixels.shape == (300, 500, 4)

    asyncio.run(main())


def test_tigervnc_takes_keys_by_their_place(tmp_path):
    async def main():
        async with (
            tigervnc(tmp_path, "320x240") as (remote, display),
            talking(remote, Encoding.RAW, Encoding.EXTENDED_KEYS) as us,
            running(
                display,
                *("xev", "-geometry", "320x240+0+0", "-event", "keyboard"),
                stdout=asyncio.subprocess.PIPE,
            ) as xev,
        ):
            await us.until(lambda: us.told(KeysExtended))
            us.connection.send_pointer(100, 100, 0)
            us.say()
            said = ""
            async with asyncio.timeout(20):
                while "keycode 38 (keysym 0x61, a)" not in said:
                    for down in (True, False):
                        us.connection.send_key(ord("a"), down)
                    us.say()
                    with suppress(TimeoutError):  # the window may not have been up
                        while line := await asyncio.wait_for(xev.stdout.readline(), 0.2):
                            said += line.decode()

    asyncio.run(main())


def test_qemu_has_keys_by_place_and_lights_and_its_sound_is_left_alone(tmp_path, monkeypatch):
    sounds = []
    monkeypatch.setattr(Audio, "decode", lambda *seen: sounds.append(seen))
    offer = (Encoding.RAW, Encoding.DESKTOP_SIZE, Encoding.EXTENDED_KEYS)
    sound = ("-audiodev", "none,id=sound")

    async def main():
        async with (
            qemu(tmp_path, False, *sound, screen=",audiodev=sound") as (remote, _),
            talking(remote, *offer, Encoding.LED_STATE, Encoding.AUDIO) as us,
        ):
            await us.until(lambda: us.told(KeysExtended) and us.told(LightsChanged) and sounds)
            assert us.connection.extended_keys
            for down in (True, False):
                us.connection.send_key(ord("a"), down)
            us.say()
            seen = us.connection.updates
            await us.until(lambda: us.connection.updates > seen + 2)  # it goes on

    asyncio.run(main())


@pytest.mark.parametrize(
    ("server", "kind"),
    [
        *((tigervnc, kind) for kind in ("CURSOR", "X_CURSOR", "ALPHA_CURSOR")),
        *((server, kind) for server in (x11vnc, tightvnc) for kind in ("CURSOR", "X_CURSOR")),
    ],
)
def test_pointers_have_the_shape_of_what_is_under_them(tmp_path, server, kind):
    async def main():
        async with (
            server(tmp_path, "320x240") as (remote, display),
            xterm(display, "30x10+0+0"),
            talking(remote, Encoding.RAW, Encoding[kind]) as us,
        ):
            place = 0

            def two_shapes():
                nonlocal place
                place = 1 - place  # on the terminal, once it is up, and on the bare screen
                us.connection.send_pointer(*((20, 20), (310, 230))[place], 0)
                us.say()
                shapes = {shape.image.tobytes() for shape in us.told(CursorChanged)}
                return len(shapes) > (server is not x11vnc)

            await us.until(two_shapes, nudge=0.2)
            for shape in us.told(CursorChanged):
                height, width, _ = shape.image.shape
                assert 0 <= shape.x <= max(width - 1, 0)
                assert 0 <= shape.y <= max(height - 1, 0)
            assert us.told(CursorChanged)[-1].image[..., 3].any()

    asyncio.run(main())


def test_every_encoding_shows_the_same_picture_of_qemu(tmp_path):
    """Its screen moves, and then stands still.

    Whoever watches QEMU 7.2 change its size may never hear of it again, whatever it asks for; so
    they all come after that.
    """

    async def main():
        changed = asyncio.Event()
        async with AsyncExitStack() as stack:
            remote, tell = await stack.enter_async_context(qemu(tmp_path))
            size, links = (0, 0), {}
            while size != DRAWN:
                link = await open_vnc(remote)
                size = link.size
                await link.close()
            for name, encodings in OFFERS.items():
                link = await open_vnc(remote, encodings=encodings, wake=changed.set)
                stack.push_async_callback(link.close)
                links[name] = link

            async def until(condition):
                async with asyncio.timeout(30):
                    while not condition():
                        changed.clear()
                        await changed.wait()

            raw = links[f"only {Encoding.RAW.name}"]
            await until(lambda: raw.connection.updates > 20)
            await tell("stop")

            def differing():
                return {
                    name: link.fault
                    for name, link in links.items()
                    if not np.array_equal(link.pixels[..., :3], raw.pixels[..., :3])
                }

            await until(lambda: raw.refreshed and not differing())
            assert raw.pixels[..., :3].any()

    asyncio.run(main())
