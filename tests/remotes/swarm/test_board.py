from __future__ import annotations

import asyncio
import base64
import json
import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiodocker
import pytest

from auniverse.errors import ProvisionError
from auniverse.remotes.docker.recipe import Recipe
from auniverse.remotes.swarm.board import Board, fresh_name
from auniverse.remotes.swarm.reach import Swarm, open_manager
from auniverse.remotes.swarm.wanted import Wanted
from auniverse.runtimes import runtime
from tests.registry import PASSWORD, USER, logged_in, reached_from, serving
from tests.swarm_nodes import Machines

from .said import node, task

REFUSED = aiodocker.DockerError(500, "no\nway")


def wanted(owner: str, image: str = "auniverse/gym-core:1") -> Wanted:
    found = runtime("gym-core")
    return Wanted(Recipe(found, image, None, "96x64", None, "me", owner))


class Counted:
    """An API that counts how often it is asked, and answers when it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.let = asyncio.Event()
        self.nodes = SimpleNamespace(list=self.list_nodes)
        self.tasks = SimpleNamespace(list=self.list_tasks)

    async def list_nodes(self) -> list[dict[str, Any]]:
        self.asked += 1
        await self.let.wait()
        return [node("n1")]

    async def list_tasks(self) -> list[dict[str, Any]]:
        return [task("s", "running", "n1")]


def test_who_asks_at_the_same_time_shares_a_look() -> None:
    async def main() -> None:
        docker: Any = Counted()
        board = Board(Swarm(docker, owner=SimpleNamespace(name="us")))  # type: ignore[arg-type]
        first = asyncio.create_task(board.look())
        await asyncio.sleep(0)
        others = [asyncio.create_task(board.look()) for _ in range(20)]
        await asyncio.sleep(0)
        assert docker.asked == 1
        docker.let.set()
        await asyncio.gather(first, *others)
        assert docker.asked == 2  # what the first saw was too old for the others
        assert [seen.service for seen in board.sight.tasks] == ["s"]

    asyncio.run(main())


def test_a_manager_that_does_not_answer() -> None:
    async def refuse() -> None:
        raise REFUSED

    docker: Any = SimpleNamespace(
        nodes=SimpleNamespace(list=refuse), tasks=SimpleNamespace(list=refuse)
    )
    board = Board(Swarm(docker, owner=SimpleNamespace(name="us")))  # type: ignore[arg-type]
    with pytest.raises(ProvisionError, match="cannot look at the swarm: no way"):
        asyncio.run(board.look())


class Told:
    """An API that takes down what it is told."""

    def __init__(self) -> None:
        self.secrets = self
        self.headers: list[dict[str, str]] = []

    async def create(self, name: str, data: str, labels: dict[str, str]) -> dict[str, str]:
        return {"ID": "secret-id"}

    async def _query_json(self, path: str, *, headers: dict[str, str], **_: Any) -> dict[str, str]:
        assert path == "services/create"
        self.headers.append(headers)
        return {"ID": "service-id"}


def test_who_may_pull_is_told_with_the_service_and_only_then(
    state: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", logged_in(tmp_path / "docker", "registry.example:5000"))
    told = Told()

    async def main() -> None:
        board = Board(Swarm(told))  # type: ignore[arg-type]
        for image in ("registry.example:5000/team/x:1", "registry.other/x:1", "auniverse/x:1"):
            await board.create(wanted("us", image), 0, "auniverse-x")

    asyncio.run(main())
    (header,) = told.headers[0].values()
    assert json.loads(base64.urlsafe_b64decode(header)) == {
        "username": USER,
        "password": PASSWORD,
        "serveraddress": "registry.example:5000",
    }
    assert told.headers[1:] == [{}, {}]


def test_names_are_new_and_short_enough() -> None:
    assert fresh_name("gym-core", 1) != fresh_name("gym-core", 1)
    assert len(fresh_name("x" * 99, 10**6)) <= 63


@pytest.mark.docker
@pytest.mark.xdist_group("docker")
def test_a_service_is_made_found_moved_and_taken_away(swarm: Machines) -> None:
    async def main() -> None:
        async with open_manager() as manager:
            board = Board(manager)
            name = fresh_name("gym-core", 7)
            service = await board.create(wanted(manager.owner.name), 7, name)
            assert await board.services(manager.owner.name) == [service]
            assert await board.services("somebody else") == []
            assert (service.remote_name, service.client_id) == ("gym-core-7", "me")
            first = await run(board, service.id, "")
            (seen,) = json.loads(swarm[0].docker("service", "inspect", name))
            passwords = manager.owner.passwords(name)
            assert passwords.vnc not in json.dumps(seen)
            assert passwords.rewarder not in json.dumps(seen)
            await asyncio.gather(board.move(service), board.move(service))
            second = await run(board, service.id, first)
            assert second != first
            await board.remove([service, service])
            assert await board.services() == []
            with pytest.raises(ProvisionError, match=f"somebody removed its service {name}"):
                await board.move(service)

    swarm.inside(main())


@pytest.mark.docker
@pytest.mark.xdist_group("docker")
def test_a_service_that_is_refused_leaves_no_secret(swarm: Machines) -> None:
    async def main() -> None:
        async with open_manager() as manager:
            board = Board(manager)
            with pytest.raises(
                ProvisionError, match=r"cannot create auniverse-x: .*not a valid repo"
            ):
                await board.create(wanted(manager.owner.name, "NO IMAGE"), 0, "auniverse-x")
            assert await board.orphans() == []

    swarm.inside(main())


@pytest.mark.docker
@pytest.mark.xdist_group("docker")
def test_a_node_pulls_from_a_private_registry(
    swarm: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The image is empty: that its command is missed means that the image is not."""
    node = swarm[1]

    async def end_of(manager: Swarm, image: str) -> str:
        board = Board(manager)
        only = replace(wanted(manager.owner.name, image), constraints=("node.hostname==n2",))
        service = await board.create(only, 0, fresh_name("gym-core", 0))
        async with asyncio.timeout(30):
            while True:
                for seen in (await board.look()).history(service.id):
                    if seen.state in ("failed", "rejected"):
                        await board.remove([service])
                        return seen.error
                await asyncio.sleep(0.05)

    async def main(registry: str) -> None:
        image = f"{registry}/team/empty:1"
        pack = "tar --create --files-from /dev/null"
        push = f"docker --host {node.engine} push --quiet {image}"
        load = f"docker --host {node.engine} import --change 'ENTRYPOINT [\"/none\"]' - {image}"
        me = {**os.environ, "DOCKER_CONFIG": logged_in(tmp_path / "me", registry)}
        async with reached_from(node, registry), open_manager() as manager:
            remove = f"docker --host {node.engine} rmi {image}"
            pushing = await asyncio.create_subprocess_shell(
                f"{pack} | {load} && {push} && {remove}", env=me, stdout=asyncio.subprocess.DEVNULL
            )
            assert await pushing.wait() == 0
            monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "nobody"))
            assert f"No such image: {image}" in await end_of(manager, image)
            monkeypatch.setenv("DOCKER_CONFIG", me["DOCKER_CONFIG"])
            assert "non-zero exit (127)" in await end_of(manager, image)
            node.docker("rmi", "--force", image)

    with serving(tmp_path, private=True) as registry:
        asyncio.run(main(registry))


async def run(board: Board, service: str, but: str) -> str:
    """Wait until a service runs; return the id of its task, another one than `but`."""
    async with asyncio.timeout(30):
        while True:
            current = (await board.look()).current(service)
            if current is not None and current.runs and current.id != but:
                return current.id
            await asyncio.sleep(0.05)
