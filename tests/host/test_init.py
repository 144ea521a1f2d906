"""Our far side, seen and played by viewers that nobody wrote for it."""

from __future__ import annotations

import asyncio
import os
import sys

import numpy as np
import pytest

from auniverse.errors import UnknownEnvError
from auniverse.host import Metadata, Outcome
from auniverse.links import open_vnc
from auniverse.rfb import KeyEvent, PointerEvent
from tests.host.clients import playing
from tests.tigervnc import password_file, tigervnc

WIDTH, HEIGHT = 320, 200
PASSWORD = "secret12"
BLOCK = 40


class Poster:
    """Noise that stands still, with a block of red for each key pressed so far."""

    def __init__(self):
        chance = np.random.default_rng(3)
        self.picture = chance.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
        self.heard = []
        self.pressed = asyncio.Event()

    def load(self, env_id):
        if env_id != "poster":
            raise UnknownEnvError(env_id)
        return Metadata(env_id, 50.0, WIDTH, HEIGHT, ((),), "hold", ("a",), True, False)

    def reset(self, seed):
        return self.picture, None

    def press(self, event):
        self.heard.append(event)
        keys = sum(isinstance(each, KeyEvent) and each.down for each in self.heard)
        self.picture = self.picture.copy()
        self.picture[:BLOCK, : BLOCK * keys] = 255, 0, 0
        self.pressed.set()

    def advance(self):
        return self.picture, Outcome(0.0, False, False, None, {})

    def close(self):
        pass

    async def until(self, event):
        while event not in self.heard:
            self.pressed.clear()
            await self.pressed.wait()


def showing(poster):
    return playing(poster, env_id="poster", screen="native", password=PASSWORD)


def test_vncdotool_types_and_sees_it(tmp_path):
    async def main():
        poster = Poster()
        async with showing(poster) as host:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", "from vncdotool.command import vncdo; vncdo()"),
                *("-s", f"127.0.0.1::{host.remote.vnc_port}", "-p", PASSWORD),
                *("capture", "before.png", "move", "7", "9", "click", "1", "key", "a"),
                *("key", "bsp", "pause", "0.5", "capture", "after.png"),
                cwd=tmp_path,
                stderr=asyncio.subprocess.PIPE,
            )
            _, said = await process.communicate()
            assert process.returncode == 0, said.decode()
        return poster.heard

    heard = asyncio.run(main())
    assert [event for event in heard if isinstance(event, KeyEvent)] == [
        *(KeyEvent(97, True), KeyEvent(97, False), KeyEvent(0xFF08, True)),
        KeyEvent(0xFF08, False),
    ]
    assert PointerEvent(7, 9, 1) in heard
    assert np.array_equal(opened(tmp_path / "before.png"), Poster().picture)
    after = Poster().picture
    after[:BLOCK, : 2 * BLOCK] = 255, 0, 0
    assert np.array_equal(opened(tmp_path / "after.png"), after)


def opened(path):
    from PIL import Image

    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.apt
@pytest.mark.parametrize("encoding", ["Raw", "ZRLE", "Tight", "Hextile"])
def test_tigervncs_viewer_shows_it_and_passes_keys_on(tmp_path, encoding):
    """The viewer's window is itself seen by VNC: its X server is TigerVNC's."""

    async def main():
        poster = Poster()
        changed = asyncio.Event()
        passwords = password_file(tmp_path, PASSWORD)
        async with (
            showing(poster) as host,
            tigervnc(tmp_path, "480x360", PASSWORD) as (remote, display),
        ):
            eye = await open_vnc(remote, wake=changed.set)
            eye.act([PointerEvent(479, 359, 0)])
            environment = {**os.environ, "DISPLAY": display, "HOME": str(tmp_path)}
            viewer = await asyncio.create_subprocess_exec(
                *("xtigervncviewer", f"127.0.0.1::{host.remote.vnc_port}"),
                *("-PasswordFile", str(passwords), "-AutoSelect=0", "-NoJPEG=1"),
                *("-PreferredEncoding", encoding, "-RemoteResize=0"),
                env=environment,
                stderr=asyncio.subprocess.DEVNULL,
            )
            try:

                async def until_shown():
                    while not shows(eye.pixels[..., :3], poster.picture):
                        changed.clear()
                        await changed.wait()

                await until_shown()
                keys = await asyncio.create_subprocess_exec(
                    *("xdotool", "search", "--onlyvisible", "--name", "TigerVNC"),
                    *("windowfocus", "--sync", "key", "a", "Left"),
                    env=environment,
                )
                assert await keys.wait() == 0
                await poster.until(KeyEvent(0xFF51, False))
                keys = [event for event in poster.heard if isinstance(event, KeyEvent)]
                assert keys == [
                    *(KeyEvent(97, True), KeyEvent(97, False)),
                    *(KeyEvent(0xFF51, True), KeyEvent(0xFF51, False)),
                ]
                assert poster.picture[0, 2 * BLOCK - 1].tolist() == [255, 0, 0]
                await until_shown()
                await eye.close()
            finally:
                viewer.kill()  # on SIGTERM it may wait for a lock of malloc's for ever
                await viewer.wait()

    asyncio.run(main())


def shows(screen, picture):
    """Tell whether a picture is somewhere on a screen, pixel by pixel."""
    height, width, _ = picture.shape
    corner = (screen[: 1 - height, : 1 - width] == picture[0, 0]).all(axis=2)
    return any(
        np.array_equal(screen[y : y + height, x : x + width], picture)
        for y, x in np.argwhere(corner)[:1000]
    )
