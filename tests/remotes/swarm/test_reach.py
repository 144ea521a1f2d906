from __future__ import annotations

import asyncio

import pytest

from auniverse.errors import ProvisionError, UsageError
from auniverse.remotes.swarm.reach import open_manager
from tests.engine import VARIABLE
from tests.swarm_nodes import Machines


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
    import os

    with pytest.raises(ProvisionError, match="is in no swarm: `docker swarm init` makes it one"):
        asyncio.run(opened(DOCKER_HOST=os.environ[VARIABLE]))
