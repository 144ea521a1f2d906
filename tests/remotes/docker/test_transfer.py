"""Images out of an engine and into it again, and to a registry; the engine is a real one."""

from __future__ import annotations

import asyncio
import gzip
import os
import subprocess
from pathlib import Path

import pytest

from auniverse.errors import ProvisionError, UsageError
from auniverse.remotes import docker
from tests.engine import BASE
from tests.registry import logged_in, serving

NAME = "auniverse-test/transfer:7"


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


@pytest.mark.docker
@pytest.mark.xdist_group("docker")
def test_an_image_is_pushed_to_a_registry_from_which_others_pull_it(tmp_path: Path) -> None:
    own = os.environ["DOCKER_HOST"]
    empty = f"tar --create --files-from /dev/null | docker --host {own} import - {NAME}"
    subprocess.run(empty, shell=True, check=True)

    async def main(registry: str) -> None:
        said: list[str] = []
        nobody = {"DOCKER_CONFIG": str(tmp_path / "nobody")}
        me = {"DOCKER_CONFIG": logged_in(tmp_path / "me", registry)}
        async with docker.open_engine() as engine:
            there = f"{registry}/team/{NAME}"
            with pytest.raises(ProvisionError, match=r"no basic auth .*`docker login` there first"):
                await docker.push_image(engine, NAME, f"{registry}/team/", said.append, nobody)
            pushed = await docker.push_image(engine, NAME, f"{registry}/team/", said.append, me)
            assert pushed == there
            assert any("Pushed" in line for line in said)
            for name in (NAME, there):
                await engine.docker.images.delete(name)
            with pytest.raises(ProvisionError, match=rf"cannot pull {there}: .*docker login"):
                await docker.pull_image(engine, there, said.append, nobody)
            await docker.pull_image(engine, there, said.append, me)
            assert await docker.has_image(engine, there)
            await engine.docker.images.delete(there)

    with serving(tmp_path, private=True) as registry:
        asyncio.run(main(registry))
