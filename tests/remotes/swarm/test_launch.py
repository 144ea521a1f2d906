"""Remotes on three machines, from their start to their end, through everything between."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Mapping
from importlib import import_module

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


def slots_on(fleet: Fleet, machine: Machine) -> list[int]:
    return [index for index, remote in enumerate(fleet) if remote.host == machine.address]


class Agent:
    """Plays at random, in whichever slots are there."""

    def __init__(self, pool: auniverse.SessionPool) -> None:
        self.pool = pool
        self.seen = Counter[int]()
        self._n = 0

    async def begin(self) -> None:
        observations, _ = await self.pool.reset(seed=0)
        self._n = len(observations)

    async def play(self, steps: int = 1) -> None:
        for _ in range(steps):
            acts = [(random.choice(KEYS), random.random() < 0.5) for _ in range(self._n)]
            batch = await self.pool.step([[("KeyEvent", *act)] for act in acts])
            self._n = len(batch)
            self.seen.update(batch.env_ids[batch.infos["valid"]].tolist())

    async def until_replaced(self, slots: Mapping[int, int]) -> None:
        """Play until these slots have been replaced so often, and all are there."""
        async with asyncio.timeout(60):
            while not all(
                slot["open"] and slot["replaced"] == slots.get(index, 0)
                for index, slot in enumerate(self.pool.stats()["slots"])
            ):
                await self.play()


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
                agent = Agent(pool)
                await agent.begin()
                await agent.play(30)
                assert set(agent.seen) == set(range(6))

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
                agent = Agent(pool)
                await agent.begin()
                replaced = Counter(slots_on(fleet, lost))
                old = [fleet[slot] for slot in replaced]
                lost.kill_engine()
                await agent.play(10)
                assert all(slot["open"] for slot in pool.stats()["slots"]), "containers live on"
                lost.switch_off()
                await agent.until_replaced(replaced)
                assert lost.address not in where(fleet)
                assert not set(old) & set(fleet)

                replaced += Counter(slots_on(fleet, other))
                swarm[0].docker("node", "update", "--availability", "drain", other.name)
                await agent.until_replaced(replaced)
                assert where(fleet) == {swarm[0].address: 4}
                faults = {i: slot["faults"] for i, slot in enumerate(pool.stats()["slots"])}
                assert Counter(faults) == replaced  # nobody else has noticed anything
            lost.switch_on()
            lost.wait_up()
        await until(lambda: swarm[0].docker("node", "ls").count("Ready") == 3)
        await until(lambda: not lost.docker("ps", "--all", "--quiet"))

    swarm.inside(main())
    for machine in swarm[1:]:
        swarm[0].docker("node", "update", "--availability", "active", machine.name)


def test_only_where_constraints_hold_and_kept_for_a_client(swarm: Machines) -> None:
    spec = "swarm:1?constraint=node.hostname==n2"

    async def main() -> list[Fleet]:
        fleets = []
        for _ in range(2):
            async with provide(spec, runtime="gym-core", screen="96x64", client_id="me") as fleet:
                fleets.append(fleet)
                assert where(fleet) == {swarm[1].address: 1}
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


def test_spare_ones_are_not_kept() -> None:
    async def main() -> None:
        async with launch("gym-core", 1, backend="swarm", warm=1):
            pass

    with pytest.raises(UsageError, match="a swarm keeps no spare remotes"):
        asyncio.run(main())
