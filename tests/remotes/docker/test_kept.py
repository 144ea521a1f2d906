"""Containers managed by hand: `up`, `ps` and `down` on a real engine."""

from __future__ import annotations

import asyncio
import os

import pytest

from auniverse.address import parse_remotes
from auniverse.remotes import launch
from auniverse.remotes.docker import end_kept, list_kept, open_engine
from auniverse.remotes.ready import wait_ready
from tests.engine import BASE, docker

pytestmark = [
    pytest.mark.docker,
    pytest.mark.xdist_group("docker"),
    pytest.mark.usefixtures("image", "state"),
]


def test_what_is_kept_is_listed_and_ended_unless_in_use() -> None:
    async def main() -> None:
        options = {"backend": "docker", "screen": "160x120"}
        async with open_engine() as engine:
            async with launch("gym-core", client_id="me", **options):
                pass
            async with launch("gym-core", client_id="you", lease=None, **options) as fleet:
                mine, yours = sorted(await list_kept(engine), key=lambda kept: kept.client_id)
                assert (mine.client_id, mine.in_use, mine.lease) == ("me", False, "600")
                assert (yours.client_id, yours.in_use, yours.lease) == ("you", True, "")
                assert (yours.runtime, yours.slot, yours.state) == ("gym-core", "0", "running")
                assert yours.address == str(fleet[0])
                assert fleet[0].vnc_password not in yours.address
                (again,) = parse_remotes(yours.url)
                assert again.rewarder_password == fleet[0].rewarder_password
                await wait_ready(again, 30)

                async def end(**wanted: object) -> list[str]:
                    which = {"runtime": None, "client_id": None, "force": False, **wanted}
                    return await end_kept(engine, **which)  # type: ignore[arg-type]

                assert await end(runtime="other") == await end(client_id="none") == []
                assert await end(client_id="me") == [mine.name]
                assert await end() == []
                assert await end(force=True) == [yours.name]
                assert await list_kept(engine) == []
            networks = docker(os.environ["DOCKER_HOST"], "network", "ls", "--format", "{{.Name}}")
            assert await end() == []
            left = docker(os.environ["DOCKER_HOST"], "network", "ls", "--format", "{{.Name}}")
            assert len(left.stdout.split()) <= len(networks.stdout.split())

    asyncio.run(main())


def test_foreign_containers_are_not_ours() -> None:
    name = "auniverse-test-foreign-kept"
    docker(os.environ["DOCKER_HOST"], "create", "--name", name, BASE)
    try:

        async def main() -> None:
            async with open_engine() as engine:
                assert await list_kept(engine) == []
                which = {"runtime": None, "client_id": None}
                assert await end_kept(engine, force=True, **which) == []

        asyncio.run(main())
        assert docker(os.environ["DOCKER_HOST"], "inspect", name).returncode == 0
    finally:
        docker(os.environ["DOCKER_HOST"], "rm", "-f", name)
