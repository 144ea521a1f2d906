from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import aiodocker
import pytest

from auniverse.errors import ProvisionError
from auniverse.remotes import launch
from auniverse.remotes.docker.engine import complaint, open_engine, speaking
from auniverse.remotes.docker.images import build
from auniverse.runtimes import runtime
from auniverse.session import Session
from tests.certificates import Authority
from tests.engine import answers
from tests.jumps import jump, splice

NOBODY = 65534
CARTPOLE = "gym-core.CartPole-v1"


def refused(environ: dict[str, str]) -> str:
    async def main() -> None:
        async with open_engine(environ):
            pass

    with pytest.raises(ProvisionError) as caught:
        asyncio.run(main())
    return str(caught.value)


def test_an_engine_that_does_not_run(tmp_path: Path) -> None:
    said = refused({"DOCKER_HOST": f"unix://{tmp_path}/none"})
    assert "is it running? DOCKER_HOST says where it is" in said
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        said = refused({"DOCKER_HOST": f"tcp://127.0.0.1:{free.getsockname()[1]}"})
    assert "is it running?" in said


def test_a_socket_that_is_for_others() -> None:
    """A real one, and a real user who may not open it: as root we are nobody for a moment."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listening:
        path = Path(folder, "engine.sock")
        listening.bind(str(path))
        listening.listen()
        path.chmod(0)
        Path(folder).chmod(0o755)
        was = os.geteuid()
        if was == 0:
            os.seteuid(NOBODY)
        try:
            said = refused({"DOCKER_HOST": f"unix://{path}"})
        finally:
            os.seteuid(was)
    assert "Permission denied" in said
    assert "`sudo usermod -aG docker $USER`" in said


def test_certificates_that_are_not_there(tmp_path: Path) -> None:
    said = refused(
        {
            "DOCKER_HOST": "tcp://127.0.0.1:1",
            "DOCKER_TLS_VERIFY": "1",
            "DOCKER_CERT_PATH": str(tmp_path),
        }
    )
    assert f"ca.pem, cert.pem and key.pem of {tmp_path} (DOCKER_CERT_PATH) cannot be used" in said


@pytest.mark.parametrize(
    ("message", "remedy"),
    [
        ("Cannot connect to Docker Engine via x [Permission denied]", "usermod -aG docker"),
        ("write /x: no space left on device", "docker system df"),
        ("Cannot connect to Docker Engine via x", "is it running?"),
    ],
)
def test_a_complaint_comes_with_its_remedy(message: str, remedy: str) -> None:
    assert remedy in complaint(message)
    assert complaint("something\nelse") == "something else"


def test_foreign_errors_become_ours() -> None:
    for foreign in (aiodocker.DockerError(500, "no"), OSError("gone")):
        with (
            pytest.raises(ProvisionError, match=r"cannot start x: .*(no|gone)"),
            speaking("cannot start x"),
        ):
            raise foreign


@pytest.mark.docker
@pytest.mark.xdist_group("docker")
def test_an_engine_over_tls_with_certificates_on_both_sides(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ca")
    server, client = authority.sign("127.0.0.1"), authority.sign("localhost")
    client.cert.rename(tmp_path / "cert.pem")
    client.key.rename(tmp_path / "key.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.ca)
    context.load_cert_chain(server.cert, server.key)
    context.verify_mode = ssl.CERT_REQUIRED
    socket_path = os.environ["DOCKER_HOST"].removeprefix("unix://")

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await splice((reader, writer), await asyncio.open_unix_connection(socket_path))

    async def main() -> None:
        async with await asyncio.start_server(forward, "127.0.0.1", 0, ssl=context) as listening:
            environ = {
                "DOCKER_HOST": f"tcp://127.0.0.1:{listening.sockets[0].getsockname()[1]}",
                "DOCKER_TLS_VERIFY": "1",
                "DOCKER_CERT_PATH": str(tmp_path),
            }
            async with open_engine(environ) as engine:
                assert await engine.docker.containers.list() is not None
            Authority(tmp_path / "..", "other").ca.rename(tmp_path / "ca.pem")
            with pytest.raises(ProvisionError, match="certificate"):
                async with open_engine(environ):
                    pass

    asyncio.run(main())


@pytest.fixture
def behind_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """A machine with an engine behind SSH, to which our home folder has the keys."""
    engine, asked = os.environ["DOCKER_HOST"], []
    (tmp_path / ".ssh").mkdir(mode=0o700)
    monkeypatch.setenv("HOME", str(tmp_path))

    async def dial(command: str, stdin: Any, stdout: Any) -> None:
        asked.append(command)
        path = engine.removeprefix("unix://")
        await splice((stdin, stdout), await asyncio.open_unix_connection(path))

    @contextlib.asynccontextmanager
    async def box(run: Any = dial) -> AsyncIterator[list[str]]:
        async with jump(tmp_path / ".ssh", run) as (_, _, port):
            monkeypatch.setenv("DOCKER_HOST", f"ssh://me@127.0.0.1:{port}")
            yield asked

    return box


@pytest.mark.docker
@pytest.mark.xdist_group("docker")
@pytest.mark.usefixtures("image", "state")
def test_containers_are_started_and_played_through_ssh(behind_ssh: Callable[..., Any]) -> None:
    async def main() -> None:
        async with (
            behind_ssh() as asked,
            launch("gym-core", 2, backend="docker", screen="160x120") as fleet,
        ):
            assert [remote.route.scheme for remote in fleet] == ["vnc+ssh"] * 2
            async with Session(fleet[0], env_id=CARTPOLE, lockstep=True) as session:
                observation, _ = await session.reset(seed=0)
                assert observation.shape == (120, 160, 3)
                assert (await session.step())[1] == 1.0
        assert set(asked) == {"docker system dial-stdio"}

    asyncio.run(main())


@pytest.mark.docker
@pytest.mark.xdist_group("docker")
def test_what_is_wrong_behind_ssh_is_said(behind_ssh: Callable[..., Any], tmp_path: Path) -> None:
    async def nothing(command: str, stdin: Any, stdout: Any) -> None:
        stdout.close()

    async def main() -> None:
        async with behind_ssh(nothing):
            with pytest.raises(ProvisionError, match="does `docker version` work there"):
                async with open_engine():
                    pass
            (tmp_path / ".ssh" / "known_hosts").write_text("")
            with pytest.raises(ProvisionError, match=r"engine at ssh://.*: the key .* not trusted"):
                async with open_engine():
                    pass

    asyncio.run(main())


@pytest.mark.docker
@pytest.mark.xdist_group("docker")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts an engine on a disk that is full")
def test_an_engine_on_a_full_disk() -> None:
    """An engine of its own, without a network, whose disk is a memory of 16 MB that we fill."""
    with tempfile.TemporaryDirectory(prefix="auniverse-full-") as folder, ExitStack() as stack:
        disk = Path(folder, "disk")
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", disk], check=True)
        stack.callback(subprocess.run, ["umount", "--lazy", disk], check=True)
        address = f"unix://{folder}/engine.sock"
        apart = ("--bridge", "none", "--iptables=false", "--ip6tables=false")
        places = ("--data-root", disk, "--exec-root", f"{folder}/run", "--pidfile", f"{folder}/pid")
        log = stack.enter_context(Path(folder, "log").open("w"))
        daemon = subprocess.Popen(
            ["unshare", "--net", "dockerd", "--host", address, *apart, *places],
            stdout=log,
            stderr=log,
        )
        stack.callback(daemon.wait, 30)
        stack.callback(daemon.terminate)
        waiting = time.monotonic() + 30
        while not answers(address):
            assert daemon.poll() is None, Path(folder, "log").read_text()[-2000:]
            assert time.monotonic() < waiting
        with contextlib.suppress(OSError), (disk / "filling").open("wb", buffering=0) as filling:
            while True:
                filling.write(bytes(4096))

        async def main() -> None:
            async with open_engine({"DOCKER_HOST": address}) as engine:
                await build(engine, runtime("gym-core"), lambda line: None, anew=False)

        with pytest.raises(ProvisionError, match="the disk is full: `docker system df` says"):
            asyncio.run(main())
