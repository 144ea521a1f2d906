from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from auniverse.address import Remote
from auniverse.errors import (
    AuthenticationError,
    MissingDependencyError,
    ProvisionError,
)
from auniverse.host import desktop as desktops
from auniverse.host.desktop import Desktop
from auniverse.session import Session

pytestmark = pytest.mark.apt


def test_a_screen_for_those_who_know_the_password() -> None:
    async def main() -> None:
        async with Desktop((320, 200), password="secret12") as desktop:
            remote = Remote("127.0.0.1", desktop.port, None, vnc_password="secret12")
            async with Session(remote) as session:
                observation, _ = await session.reset()
                assert observation.shape == (200, 320, 3)
            with pytest.raises(AuthenticationError):
                async with Session(replace(remote, vnc_password="wrong")):
                    pass
            folder = desktop.folder
            assert folder.stat().st_mode & 0o077 == 0
        assert not folder.exists()

    asyncio.run(main())


async def draw_on(environment: dict[str, str]) -> int:
    program = await asyncio.create_subprocess_exec(
        "xwininfo", "-root", env=environment, stdout=-3, stderr=-3
    )
    return await program.wait()


def test_programs_need_the_cookie() -> None:
    async def main() -> None:
        async with Desktop((64, 64)) as desktop:
            assert await draw_on(desktop.environment) == 0
            stranger = desktop.environment | {"XAUTHORITY": "/dev/null"}
            assert await draw_on(stranger) != 0

    asyncio.run(main())


def test_the_end_of_the_server_is_told_with_its_last_words() -> None:
    async def main() -> None:
        async with Desktop((64, 64)) as desktop:
            assert desktop._server is not None
            desktop._server.kill()
            async with asyncio.timeout(10):
                assert "created VNC server" in await desktop.ended()

    asyncio.run(main())


def test_a_port_that_is_taken() -> None:
    async def main() -> None:
        other = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
        async with other:
            port = other.sockets[0].getsockname()[1]
            with pytest.raises(ProvisionError, match=f"on port {port}:(?s:.*)in use"):
                async with Desktop((64, 64), port=port):
                    pass

    asyncio.run(main())


DESKTOP = """
import asyncio
from auniverse.host.desktop import Desktop

async def main():
    async with Desktop((64, 64)) as desktop:
        print(desktop._server.pid, desktop.folder, flush=True)
        await desktop.ended()

asyncio.run(main())
"""


def test_it_dies_with_its_host() -> None:
    host = subprocess.Popen([sys.executable, "-c", DESKTOP], stdout=subprocess.PIPE, text=True)
    assert host.stdout is not None
    server, folder = host.stdout.readline().split()
    watch = os.pidfd_open(int(server))
    host.send_signal(signal.SIGKILL)
    host.wait()
    host.stdout.close()

    async def gone() -> None:
        ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(watch, ended.set)
        async with asyncio.timeout(10):
            await ended.wait()

    asyncio.run(gone())
    os.close(watch)
    assert Path(folder).exists()
    with desktops._private_folder() as ours:  # whoever comes next cleans up
        assert not Path(folder).exists()
        with desktops._private_folder():
            assert Path(ours).exists()


def test_without_tigervnc(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with Desktop():
            pass

    monkeypatch.setattr(desktops.shutil, "which", lambda name: None)
    with pytest.raises(MissingDependencyError, match="apt-get install tigervnc"):
        asyncio.run(main())


def test_a_process_that_will_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desktops, "PATIENCE", 0.1)
    stubborn = "import signal; signal.signal(15, signal.SIG_IGN); print(flush=True); input()"

    async def main() -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", stubborn, stdin=-1, stdout=-1
        )
        assert process.stdout is not None
        await process.stdout.readline()
        await desktops.end(process)
        assert process.returncode == -signal.SIGKILL
        await desktops.end(process)  # it is gone already

    asyncio.run(main())
