from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from auniverse.address import Remote
from auniverse.errors import ProvisionError, UsageError
from auniverse.remotes import Fleet, Keeper


@dataclass
class Kept:
    """Keeps nothing, and notes what it is told."""

    remote: Remote
    alive: bool = True
    log_tail: str = "fine"
    cause_of_death: str = ""
    told: list[str] = field(default_factory=list)

    async def replace(self) -> Remote:
        self.told.append("replace")
        self.remote = replace(self.remote, vnc_port=99, vnc_password="another")
        return self.remote

    async def refresh(self) -> None:
        self.told.append("refresh")

    async def pause(self) -> None:
        self.told.append("pause")

    async def resume(self) -> None:
        self.told.append("resume")

    async def stop(self) -> None:
        self.told.append("stop")


A, B = Remote("h", 1, 2, name="a"), Remote("h", 3, 4, name="b")


def test_a_fleet_is_a_list_that_asks_the_keepers() -> None:
    killed = Kept(B, False, "alas", "killed by signal 9")
    fleet = Fleet([A, B], {"a": Kept(A), "b": killed})
    assert fleet == [A, B]
    assert [fleet.alive(remote) for remote in fleet] == [True, False]
    assert [fleet.log_tail(remote) for remote in fleet] == ["fine", "alas"]
    assert [fleet.cause_of_death(remote) for remote in fleet] == ["", "killed by signal 9"]
    assert all(fleet.can_replace(remote) for remote in fleet)


def test_another_remote_takes_the_place_of_one() -> None:
    fleet = Fleet([A, B], {"a": Kept(A), "b": Kept(B)})
    new = asyncio.run(fleet.replace(B))
    assert new.vnc_port == 99
    assert fleet == [A, new]
    assert fleet.can_replace(B), "the old one still stands for its place"


def test_remotes_are_frozen_one_by_one() -> None:
    kept = {"a": Kept(A), "b": Kept(B)}
    fleet = Fleet([A, B], kept)

    async def main() -> None:
        await fleet.pause(B)
        await fleet.resume(B)
        await fleet.refresh(B)
        await Fleet([A]).refresh(A)  # nobody can say

    asyncio.run(main())
    assert [keeper.told for keeper in kept.values()] == [[], ["pause", "resume", "refresh"]]


def test_a_fleet_grows_and_shrinks() -> None:
    started: list[Kept] = []

    async def start(n: int) -> list[tuple[Remote, Keeper]]:
        if n > 5:
            raise ProvisionError("the machine is full")
        started[:] = [Kept(Remote("h", 5 + i, 6, name=f"new-{i}")) for i in range(n)]
        return [(keeper.remote, keeper) for keeper in started]

    async def main() -> None:
        kept = Kept(A)
        fleet = Fleet([A], {"a": kept}, start)
        new = await fleet.grow(2)
        assert fleet == [A, *new]
        assert all(fleet.can_replace(remote) for remote in new)
        await fleet.shrink([A, new[0]])
        assert fleet == new[1:]
        assert [kept.told, started[0].told, started[1].told] == [["stop"], ["stop"], []]
        assert fleet.alive(A) is None
        with pytest.raises(ProvisionError, match="full"):
            await fleet.grow(9)
        assert fleet == new[1:]
        with pytest.raises(UsageError, match="by 1 or more"):
            await fleet.grow(0)

    asyncio.run(main())


def test_of_an_address_nothing_is_known_and_nothing_can_be_done() -> None:
    async def main() -> None:
        (remote,) = fleet = Fleet([Remote("h", 1, 2)])
        assert fleet.alive(remote) is None
        assert fleet.log_tail(remote) == fleet.cause_of_death(remote) == ""
        assert not fleet.can_replace(remote)
        for what in (fleet.replace, fleet.pause, fleet.resume):
            with pytest.raises(UsageError, match=r"vnc://h:1\+2 was given by address"):
                await what(remote)
        with pytest.raises(UsageError, match="given by address"):
            await fleet.shrink([remote])
        with pytest.raises(UsageError, match="given by address"):
            await fleet.grow(1)

    asyncio.run(main())
