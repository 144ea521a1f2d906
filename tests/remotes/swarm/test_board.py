from __future__ import annotations

import asyncio
import json
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


async def run(board: Board, service: str, but: str) -> str:
    """Wait until a service runs; return the id of its task, another one than `but`."""
    async with asyncio.timeout(30):
        while True:
            current = (await board.look()).current(service)
            if current is not None and current.runs and current.id != but:
                return current.id
            await asyncio.sleep(0.05)
