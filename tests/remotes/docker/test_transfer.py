"""Images out of an engine and into it again, and to a registry; the engine is a real one."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from auniverse.errors import ProvisionError, UsageError
from auniverse.remotes import docker
from auniverse.remotes.docker.transfer import _credentials
from tests.engine import BASE

NAME = "auniverse-test/transfer:7"


def test_credentials_are_dockers_own(tmp_path: Path) -> None:
    environ = {"DOCKER_CONFIG": str(tmp_path)}
    assert _credentials("registry.example", environ) is None
    auth = base64.b64encode(b"me:secret").decode()
    config = {"auths": {"registry.example": {"auth": auth}, "helped.example": {}}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert _credentials("registry.example", environ) == {"auth": auth}
    assert _credentials("helped.example", environ) is None
    assert _credentials("other.example", environ) is None


@pytest.mark.docker
@pytest.mark.xdist_group("docker")
@pytest.mark.usefixtures("image")
def test_an_image_goes_out_and_comes_back(tmp_path: Path) -> None:
    async def main() -> None:
        file = tmp_path / "image.tar.gz"
        async with docker.open_engine() as engine:
            with pytest.raises(ProvisionError, match="has no image auniverse-test/transfer:7"):
                await docker.export_image(engine, NAME, file)
            repository, _, tag = NAME.rpartition(":")
            await engine.docker.images.tag(BASE, repository, tag=tag)
            try:
                await docker.export_image(engine, NAME, file)
                with gzip.open(file) as unpacked:
                    assert len(unpacked.read(512)) == 512
                await engine.docker.images.delete(NAME, noprune=True)
                assert not await docker.has_image(engine, NAME)
                shares: list[float] = []
                await docker.load_image(engine, file, shares.append)
                assert await docker.has_image(engine, NAME)
                assert shares == sorted(shares)
                assert shares[-1] == 1
                with pytest.raises(ProvisionError, match=r"cannot push 127.0.0.1:9/team/auniv"):
                    await docker.push_image(engine, NAME, "127.0.0.1:9/team", lambda line: None)
                with pytest.raises(UsageError, match="is no registry"):
                    await docker.push_image(engine, NAME, "https://r", lambda line: None)
                (tmp_path / "broken").write_bytes(b"no archive")
                with pytest.raises(ProvisionError, match="cannot load an image"):
                    await docker.load_image(engine, tmp_path / "broken", shares.append)
            finally:
                for name in (NAME, f"127.0.0.1:9/team/{NAME}"):
                    if await docker.has_image(engine, name):
                        await engine.docker.images.delete(name, noprune=True)

    asyncio.run(main())


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """A real registry on this machine, which engines take without TLS."""
    if shutil.which("docker-registry") is None:
        verdict = pytest.fail if os.environ.get("CI") else pytest.skip
        verdict("needs a registry: apt-get install docker-registry")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    config = {"version": 0.1, "http": {"addr": address}}
    config["storage"] = {"filesystem": {"rootdirectory": str(tmp_path / "registry")}}
    (tmp_path / "config.yml").write_text(json.dumps(config))
    process = subprocess.Popen(
        ["docker-registry", "serve", tmp_path / "config.yml"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield address
    finally:
        process.kill()
        process.wait()


@pytest.mark.docker
@pytest.mark.xdist_group("docker")
def test_an_image_is_pushed_to_a_registry_from_which_others_pull_it(registry: str) -> None:
    own = os.environ["DOCKER_HOST"]
    empty = f"tar --create --files-from /dev/null | docker --host {own} import - {NAME}"
    subprocess.run(empty, shell=True, check=True)

    async def main() -> None:
        said: list[str] = []
        async with docker.open_engine() as engine:
            there = f"{registry}/team/{NAME}"
            assert await docker.push_image(engine, NAME, f"{registry}/team/", said.append) == there
            assert any("Pushed" in line for line in said)
            for name in (NAME, there):
                await engine.docker.images.delete(name)
            repository, _, tag = there.rpartition(":")
            await engine.docker.images.pull(repository, tag=tag)
            assert await docker.has_image(engine, there)
            await engine.docker.images.delete(there)

    asyncio.run(main())
