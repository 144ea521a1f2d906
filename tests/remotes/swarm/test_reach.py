from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from auniverse.address import Remote, Route
from auniverse.errors import ProvisionError, UsageError
from auniverse.remotes import provide
from auniverse.remotes.swarm.reach import open_manager
from auniverse.session import Session
from tests.certificates import Authority
from tests.engine import VARIABLE
from tests.jumps import Server, jump, splice
from tests.pages import command
from tests.swarm_nodes import Machines

CARTPOLE = "gym-core.CartPole-v1"


async def opened(address: str = "", **environ: str) -> str:
    async with open_manager(address, environ or None) as manager:
        return str((await manager.docker.swarm.inspect())["ID"])


@pytest.mark.parametrize(
    "address", ["manager", "http://manager", "ssh://", "tls:///x", "ssh://me:hunter2@manager"]
)
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(UsageError, match="ssh://me@host:22 or tls://host:2376 are") as caught:
        asyncio.run(opened(address))
    assert "hunter2" not in str(caught.value)


def test_an_address_takes_the_place_of_the_engine_that_is_set(tmp_path: object) -> None:
    said = {"DOCKER_HOST": "unix:///no/engine", "DOCKER_CERT_PATH": str(tmp_path)}
    with pytest.raises(ProvisionError, match=r"cert.pem and key.pem of .* cannot be used"):
        asyncio.run(opened("tls://127.0.0.1:1", **said))


@pytest.mark.docker
@pytest.mark.xdist_group("docker")
def test_only_a_manager_manages(swarm: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    assert swarm.inside(opened())
    with pytest.raises(ProvisionError, match="is a worker of its swarm: name one of the managers"):
        swarm.inside(opened(DOCKER_HOST=swarm[1].engine))


@pytest.mark.docker
@pytest.mark.xdist_group("docker")
def test_an_engine_by_itself_is_no_manager(image: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ProvisionError, match="is in no swarm: `docker swarm init` makes it one"):
        asyncio.run(opened(DOCKER_HOST=os.environ[VARIABLE]))


def said(spec: str) -> str:
    """Return what our page says to `--remotes`, for two of them."""
    words = shlex.split(command("swarm.md", "auniverse", "run", "--remotes", spec))
    return words[words.index("--remotes") + 1].replace(":8", ":2").replace("/8", "/2")


async def plays(spec: str) -> Remote:
    """Start remotes as `--remotes` says, play on one, and return its address."""
    async with (
        provide(spec, runtime="gym-core", env_id=CARTPOLE, screen="96x64") as fleet,
        Session(fleet[0], env_id=CARTPOLE, lockstep=True) as session,
    ):
        assert len(fleet) == 2
        observation, _ = await session.reset(seed=0)
        assert observation.shape == (64, 96, 3)
        assert (await session.step())[1] == 1.0
        return fleet[0]


@pytest.mark.docker
@pytest.mark.xdist_group("docker")
def test_a_manager_behind_ssh(
    swarm: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All goes through its SSH server: the engine as a command, the remotes as channels."""
    (tmp_path / ".ssh").mkdir(mode=0o700)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(Server, "connection_requested", lambda *where: True)
    asked = []

    async def dial(command: str, stdin: Any, stdout: Any) -> None:
        asked.append(command)
        path = swarm[0].engine.removeprefix("unix://")
        await splice((stdin, stdout), await asyncio.open_unix_connection(path))

    async def main() -> None:
        async with jump(tmp_path / ".ssh", dial) as (_, _, port):
            spec = said("swarm+ssh://me@manager/8").replace("manager", f"127.0.0.1:{port}")
            remote = await plays(spec)
            assert remote.route == Route("vnc+ssh", jump=f"127.0.0.1:{port}", user="me")
            assert remote.host in {machine.address for machine in swarm}
            (tmp_path / ".ssh" / "known_hosts").write_text("")
            with pytest.raises(ProvisionError, match="the key of the SSH server"):
                await plays(spec)

    swarm.inside(main())
    assert set(asked) == {"docker system dial-stdio"}


@pytest.mark.docker
@pytest.mark.xdist_group("docker")
def test_the_swarm_of_this_machine_and_only_some_of_its_nodes(swarm: Machines) -> None:
    assert swarm.inside(plays(said("swarm:8"))).route == Route()
    remote = swarm.inside(plays(said("'swarm:8?constraint=node.role==worker'")))
    assert remote.host in {machine.address for machine in swarm[1:]}


@pytest.mark.docker
@pytest.mark.xdist_group("docker")
def test_an_image_is_brought_to_a_worker_by_hand(swarm: Machines, tmp_path: Path) -> None:
    """As our page says, with a small image, and with the worker's engine behind `ssh`."""
    ssh = tmp_path / "ssh"
    ssh.write_text(f'#!/bin/sh\nshift\nDOCKER_HOST={swarm[2].engine} exec "$@"\n')
    ssh.chmod(0o755)
    environ = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    line = command("swarm.md", "docker", "save").replace("auniverse/gym-core:1", "tiny:1")
    empty = f"tar --create --files-from /dev/null | docker import - tiny:1 && {line}"
    subprocess.run(["bash", "-c", empty], env=environ, check=True)
    assert swarm[2].docker("images", "--quiet", "tiny:1")
    for machine in (swarm[0], swarm[2]):
        machine.docker("rmi", "tiny:1")


@pytest.mark.docker
@pytest.mark.xdist_group("docker")
def test_a_manager_by_tls(swarm: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its engine wants a certificate of us; its remotes have some of theirs."""
    ours = swarm.authority.sign("client")
    for name, file in {"ca": swarm.authority.ca, "cert": ours.cert, "key": ours.key}.items():
        shutil.copy(file, tmp_path / f"{name}.pem")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/engine")
    spec = said("swarm+tls://manager:2376/8").replace("manager", swarm[0].address)
    remote = swarm.inside(plays(spec))
    assert remote.route == Route(security=("x509vnc",), pin=remote.route.pin)
    assert remote.route.rewarder_over_tls
    shutil.copy(Authority(tmp_path, "other").ca, tmp_path / "ca.pem")
    with pytest.raises(ProvisionError, match="certificate"):
        swarm.inside(plays(spec))
