"""Remotes on three machines, from their start to their end, through everything between."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from importlib import import_module
from typing import Any

import numpy as np
import pytest

import auniverse
from auniverse.errors import ProvisionError, UsageError
from auniverse.remotes import Fleet, launch, provide
from tests.swarm_nodes import Machine, Machines

from .conftest import hungry, until

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("docker")]

CARTPOLE = "gym-core.CartPole-v1"
KEYS = ("ArrowLeft", "ArrowRight")


def where(fleet: Fleet) -> Counter[str]:
    """How many remotes are at which address."""
    return Counter(remote.host for remote in fleet)


async def play(pool: auniverse.SessionPool, n: int, steps: int) -> np.ndarray[Any, Any]:
    """Play at random; return in how many steps each slot was there."""
    valid = np.zeros(n, int)
    for _ in range(steps):
        events = [[("KeyEvent", random.choice(KEYS), random.random() < 0.5)] for _ in range(n)]
        *_, infos = await pool.step(events)
        valid += infos["valid"]
    return valid


async def heal(pool: auniverse.SessionPool, n: int, slots: set[int]) -> None:
    """Play until these slots are back on other remotes."""
    async with asyncio.timeout(60):
        while not all(
            slot["replaced"] and slot["open"]
            for index, slot in enumerate(pool.stats()["slots"])
            if index in slots
        ):
            await play(pool, n, 1)


def test_through_growth_want_loss_and_drain(
    swarm: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = import_module("auniverse.remotes.swarm.launch")
    monkeypatch.setattr(module, "find_runtime", lambda _: hungry(swarm, 4))

    async def main() -> None:
        async with launch("gym-core", 6, backend="swarm", env_id=CARTPOLE, screen="96x64") as fleet:
            assert [remote.name for remote in fleet] == [f"gym-core-{i}" for i in range(6)]
            assert set(where(fleet).values()) == {2}
            assert len({remote.vnc_password for remote in fleet}) == 6
            async with auniverse.SessionPool(fleet, env_id=CARTPOLE, fps=30) as pool:
                await pool.reset(seed=0)
                assert (await play(pool, 6, 30) > 0).all()

            await fleet.grow(3)
            assert set(where(fleet).values()) == {3}
            before = list(fleet)
            with pytest.raises(ProvisionError) as caught:
                await fleet.grow(5)
            assert str(caught.value) == (
                "gym-core: 12 of 14 placed; 2 pending: insufficient memory on 3 nodes; add workers "
                "with `auniverse cluster scale ... --workers 3`, or let 1 more like these join "
                "(`docker swarm join-token worker`)"
            )
            assert fleet == before
            assert all(fleet.alive(remote) for remote in fleet)

            await fleet.shrink(fleet[4:])
            lost = next(one for one in swarm[1:] if where(fleet)[one.address])
            (other,) = {one.name: one for one in swarm[1:] if one is not lost}.values()
            async with auniverse.SessionPool(fleet, env_id=CARTPOLE, fps=30) as pool:
                await pool.reset(seed=0)
                moved = await lose(pool, fleet, lost)
                moved += await drain(pool, fleet, swarm[0], other)
                faults = [slot["faults"] for slot in pool.stats()["slots"]]
                assert faults == [moved[index] for index in range(4)]
            lost.switch_on()
            lost.wait_up()
        await until(lambda: swarm[0].docker("node", "ls").count("Ready") == 3)
        await until(lambda: not lost.docker("ps", "--all", "--quiet"))

    swarm.inside(main())
    for machine in swarm[1:]:
        swarm[0].docker("node", "update", "--availability", "active", machine.name)


async def lose(pool: auniverse.SessionPool, fleet: Fleet, lost: Machine) -> Counter[int]:
    """Cut a machine's power: its slots come back elsewhere, and no other notices."""
    hurt = {index for index, remote in enumerate(fleet) if remote.host == lost.address}
    old = [fleet[index] for index in hurt]
    lost.switch_off()
    await heal(pool, len(fleet), hurt)
    assert lost.address not in where(fleet)
    assert not set(old) & set(fleet)
    return Counter(hurt)


async def drain(
    pool: auniverse.SessionPool, fleet: Fleet, manager: Machine, other: Machine
) -> Counter[int]:
    """Drain a machine: its slots move to the only one that is left."""
    hurt = {index for index, remote in enumerate(fleet) if remote.host == other.address}
    before = [slot["replaced"] for slot in pool.stats()["slots"]]
    manager.docker("node", "update", "--availability", "drain", other.name)
    async with asyncio.timeout(60):
        while set(where(fleet)) != {manager.address} or not all(
            slot["open"] for slot in pool.stats()["slots"]
        ):
            await play(pool, len(fleet), 1)
    after = [slot["replaced"] for slot in pool.stats()["slots"]]
    assert {i for i in range(len(fleet)) if after[i] > before[i]} == hurt
    return Counter(hurt)


def test_only_where_constraints_hold_and_kept_for_a_client(swarm: Machines) -> None:
    spec = "swarm:2?constraint=node.hostname==n2"

    async def main() -> list[Fleet]:
        fleets = []
        for _ in range(2):
            async with provide(spec, runtime="gym-core", screen="96x64", client_id="me") as fleet:
                fleets.append(fleet)
                assert where(fleet) == {swarm[1].address: 2}
        async with launch("gym-core", 1, backend="swarm", screen="native", client_id="me") as third:
            assert not set(third) & set(fleets[0])  # another screen, so those were of no use
        return fleets

    first, second = swarm.inside(main())
    assert first == second
    names = swarm[0].docker("service", "ls", "--quiet").split()
    assert len(names) == 1
    for name in names:
        swarm[0].docker("service", "rm", name)
    for secret in swarm[0].docker("secret", "ls", "--quiet").split():
        swarm[0].docker("secret", "rm", secret)
    swarm.inside(until(lambda: not any(one.docker("ps", "-aq") for one in swarm)))


def test_spare_ones_are_not_kept() -> None:
    async def main() -> None:
        async with launch("gym-core", 1, backend="swarm", warm=1):
            pass

    with pytest.raises(UsageError, match="a swarm keeps no spare remotes"):
        asyncio.run(main())
