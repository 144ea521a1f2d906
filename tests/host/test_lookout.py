from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from auniverse.host import Certificate
from auniverse.host import lookout as lookouts
from auniverse.host.desktop import Desktop
from auniverse.host.lookout import Lookout
from auniverse.host.program import ProgramCrashed
from auniverse.keysyms import keysym
from auniverse.remotes.swarm.certificate import certificate_of
from auniverse.rfb import Box

pytestmark = pytest.mark.apt

BOX = Box(10, 20, 64, 48)


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("password", [None, "secret"])
def test_what_is_on_the_desktop_is_seen(password: str | None, tls: bool, tmp_path: Path) -> None:
    shown = None
    if tls:
        made = certificate_of("desktop", bytes(32))  # that of a remote of a swarm
        (tmp_path / "pem").write_text(made.pem)
        shown = Certificate.load(str(tmp_path / "pem"), str(tmp_path / "pem"))

    async def main() -> None:
        async with (
            Desktop((320, 240), password=password, certificate=shown) as desktop,
            Lookout(desktop, BOX) as lookout,
        ):
            before = (await lookout.look(0.01)).copy()
            assert before.shape == (48, 64, 3)
            command = ["xterm", "-geometry", "40x20+0+0", "-bg", "#0a141e", "-e", "cat"]
            xterm = await asyncio.create_subprocess_exec(*command, env=desktop.environment)
            async with asyncio.timeout(30):
                while not (await lookout.look(0.2) == (10, 20, 30)).all(axis=2).any():
                    pass
                assert not np.array_equal(before, await lookout.look(0.01))
                await lookout.click(30, 40)
                # What is typed is shown.
                while (await lookout.look(0.2) == (10, 20, 30)).all(axis=2).all():
                    await lookout.press(keysym("Return"))
                    await lookout.press(keysym("a"))
            xterm.kill()
            await xterm.wait()

    asyncio.run(main())


async def look_for_ever(lookout: Lookout) -> None:
    while True:
        await lookout.look(0.2)


async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await reader.read()
    finally:  # the loop may end first
        writer.close()


def test_an_x_server_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with Desktop((320, 240)) as desktop:
            async with Lookout(desktop, BOX) as lookout:
                server = desktop._server
                assert server is not None
                os.kill(server.pid, signal.SIGKILL)
                async with asyncio.timeout(20):
                    with pytest.raises(ProgramCrashed, match="the X server is gone"):
                        await look_for_ever(lookout)
            with pytest.raises(ProgramCrashed, match="does not answer"):
                await Lookout(desktop, BOX).__aenter__()
            monkeypatch.setattr(lookouts, "PATIENCE", 0.2)
            async with await asyncio.start_server(listen, "127.0.0.1", 0) as mute:
                desktop.port = mute.sockets[0].getsockname()[1]
                with pytest.raises(ProgramCrashed, match="does not answer"):
                    await Lookout(desktop, BOX).__aenter__()

    asyncio.run(main())
