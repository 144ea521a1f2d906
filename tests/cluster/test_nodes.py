"""Nodes that are awaited, drained and forgotten; real ones join in test_play."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from auniverse.cluster import nodes
from auniverse.cluster.cluster import _emptiest
from auniverse.cluster.nodes import drain, forget_lost, wait_for_workers
from auniverse.errors import ProvisionError
from auniverse.remotes import swarm

from ..remotes.swarm.said import node as said


class Manager:
    """A manager's engine, as far as nodes go."""

    def __init__(self, *seen: dict[str, Any]) -> None:
        self.docker = self.nodes = self.tasks = self
        self.seen = {each["ID"]: each for each in seen}
        self.placed: list[str] = []

    async def list(self, **filters: Any) -> list[dict[str, Any]]:
        return [{"NodeID": place} for place in self.placed]

    async def inspect(self, node_id: str) -> dict[str, Any]:
        return self.seen[node_id]

    async def update(self, node_id: str, version: int, spec: dict[str, Any]) -> None:
        assert version == self.seen[node_id]["Version"]["Index"]
        self.seen[node_id]["Spec"] = spec

    async def remove(self, node_id: str, force: bool) -> None:
        del self.seen[node_id]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    async def status(manager: Manager) -> swarm.Status:
        from auniverse.remotes.swarm.sight import read_nodes

        return swarm.Status(read_nodes(manager.seen.values()), [])

    monkeypatch.setattr(nodes.swarm, "status", status)
    monkeypatch.setattr(nodes, "PAUSE", 0.01)


def made(*names: str, **options: Any) -> list[dict[str, Any]]:
    return [
        {**said(name, **options), "Version": {"Index": 7}, "Status": _status(name, **options)}
        for name in names
    ]


def _status(name: str, *, state: str = "ready", **_: Any) -> dict[str, str]:
    return {"State": state, "Addr": f"10.0.0.{name[1:]}"}


def test_each_worker_is_told_of_as_it_joins() -> None:
    manager = Manager(*made("n1", role="manager"), *made("n2"))
    told: list[tuple[str, str]] = []

    def tell(name: str, state: str) -> None:
        told.append((name, state))
        if name == "n2":
            manager.seen |= {each["ID"]: each for each in made("n3")}

    async def main() -> None:
        found = await wait_for_workers(manager, 2, tell, timeout=10)  # type: ignore[arg-type]
        assert [node.name for node in found] == ["n2", "n3"]
        with pytest.raises(ProvisionError, match=r"2 of 3 workers have joined after 0.05 s"):
            await wait_for_workers(manager, 3, tell, timeout=0.05)  # type: ignore[arg-type]

    asyncio.run(main())
    assert told[:2] == [("n2", "joined (1 of 2)"), ("n3", "joined (2 of 2)")]


def test_the_emptiest_go_first_and_the_lost_are_forgotten() -> None:
    manager = Manager(*made("n1", role="manager"), *made("n2", "n3", "n4"))
    manager.placed = ["id-n2", "id-n2", "id-n3", ""]

    async def main() -> None:
        ending = await _emptiest(manager, {"10.0.0.2", "10.0.0.3", "10.0.0.4"}, 2)  # type: ignore[arg-type]
        assert [node.name for node in ending] == ["n4", "n3"]
        await drain(manager, ending[0])  # type: ignore[arg-type]
        assert manager.seen["id-n4"]["Spec"] == {"Role": "worker", "Availability": "drain"}
        assert await forget_lost(manager) == []  # type: ignore[arg-type]
        manager.seen["id-n4"]["Status"]["State"] = "down"
        assert await forget_lost(manager) == ["n4"]  # type: ignore[arg-type]
        assert "id-n4" not in manager.seen

    asyncio.run(main())
