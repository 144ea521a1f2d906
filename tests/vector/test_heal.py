"""How a slot comes back, first by itself, then in pools whose hosts are lost."""

import asyncio
import gc
import os
import re
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace

import pytest

from auniverse.errors import (
    AuthenticationError,
    ConnectionLostError,
    MissingDependencyError,
    ProvisionError,
    RemoteError,
    UsageError,
)
from auniverse.host import Host
from auniverse.links.opening import OpeningLink
from auniverse.links.rewarder import RewarderLink
from auniverse.remotes import launch
from auniverse.rfb import Encoding
from auniverse.rfb.connection import Connection
from auniverse.vector import Budget, SessionPool, heal
from tests.meter import ENV_ID, Meter, meters
from tests.vector.keepers import kept, wired

NOTHING: list = []

LOST = ConnectionLostError("gone")


def test_pauses_double_up_to_a_limit_and_end():
    budget = Budget(tries=4, pause=1.0, longest=3.0, jitter=lambda: 1.0)
    assert [budget.spend(LOST, 0.0) for _ in range(5)] == [1.0, 2.0, 3.0, 3.0, None]


def test_who_lived_longer_than_the_next_pause_is_waited_for_as_at_first():
    budget = Budget(tries=5, pause=1.0, jitter=lambda: 1.0)
    lives = [0.0, 0.0, 5.0, 0.1, 2.0, 9.0]
    assert [budget.spend(LOST, lived) for lived in lives] == [1.0, 2.0, 1.0, 2.0, 4.0, None]


def test_jitter_halves_a_pause_at_most():
    assert Budget(pause=1.0, jitter=lambda: 0.0).spend(LOST, 0.0) == 0.5


def test_a_refused_password_is_not_tried_again():
    assert Budget().spend(AuthenticationError("no"), 0.0) is None


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (ProvisionError("the engine is busy"), True),
        (MissingDependencyError("no aiodocker"), False),
        (UsageError("no such thing"), False),
    ],
)
def test_what_this_machine_could_not_start_is_tried_again(error, again):
    assert (Budget().spend(error, 0.0) is not None) == again


def test_a_long_life_earns_a_new_budget():
    budget = Budget(tries=1, jitter=lambda: 1.0)
    assert budget.spend(LOST, 0.0) == 0.5
    assert budget.spend(LOST, 61.0) == 0.5
    assert budget.spend(LOST, 0.0) is None


def test_a_lost_remote_is_a_fault_and_heals_when_it_is_back():
    async def main():
        async with meters(1) as steady, AsyncExitStack() as doomed:
            (first,) = await doomed.enter_async_context(meters(1))
            remotes = [steady[0].remote, first.remote]
            async with SessionPool(remotes, env_id=ENV_ID, fps=60) as pool:
                await pool.reset()
                await pool.step([NOTHING, NOTHING])
                await doomed.aclose()
                batch = await pool.step([NOTHING, NOTHING])
                while "fault" not in batch.infos:
                    batch = await pool.step([NOTHING, NOTHING])
                assert batch.truncations.tolist() == [False, True]
                assert batch.rewards[1] == 0.0
                assert batch.infos["valid"].tolist() == [True, False]
                assert batch.infos["fault"][1]["retryable"]
                for _ in range(5):
                    batch = await pool.step([NOTHING] * len(batch))
                    assert batch.env_ids.tolist() == [0], "the steady slot goes on alone"
                ports = {"vnc_port": remotes[1].vnc_port, "rewarder_port": remotes[1].rewarder_port}
                async with meters(1, **ports):
                    while 1 not in batch.env_ids:
                        batch = await pool.step([NOTHING] * len(batch))
                    assert batch.infos["reset"][-1]
                    assert pool.stats()["faults"] >= 1

    asyncio.run(main())


def test_a_killed_host_is_a_fault_with_its_log(caplog):
    async def main():
        async with (
            launch("gym-core", 2, env_id="gym-core.CartPole-v1", screen="native") as remotes,
            SessionPool(remotes, fps=30) as pool,
        ):
            await pool.reset(seed=0)
            os.kill(int(re.search(r"gym-core-1 is process (\d+)", caplog.text)[1]), 9)
            batch = await pool.step([NOTHING, NOTHING])
            while "fault" not in batch.infos:
                batch = await pool.step([NOTHING] * len(batch))
            fault = batch.infos["fault"][list(batch.env_ids).index(1)]
            assert "serving" in fault["log_tail"]
            assert fault["cause_of_death"] == "killed by signal 9"
            assert not batch.infos["valid"][-1]
            batch = await pool.step([NOTHING] * len(batch))
            assert batch.env_ids.tolist() == [0], "the other plays on"
            while 1 not in batch.env_ids:
                batch = await pool.step([NOTHING] * len(batch))
            assert batch.infos["reset"][-1], "another one is in its place"
            assert pool.stats()["replaced"] == 1

    with caplog.at_level("DEBUG", logger="auniverse.remotes"):
        asyncio.run(main())


async def until_fault(pool, slot):
    """Step on until a slot has a fault; return it and the batch."""
    batch = await pool.recv()
    while "fault" not in batch.infos or slot not in batch.env_ids:
        assert batch.infos["valid"].all()
        batch = await pool.step([NOTHING] * len(batch))
    return batch.infos["fault"][batch.env_ids.tolist().index(slot)], batch


async def until_back(pool, slot, batch):
    """Step on until a slot shows the first frame of an episode; return the batch."""
    while True:
        batch = await pool.step([NOTHING] * len(batch))
        assert batch.infos["valid"].all(), "a loss is told once"
        if slot in batch.env_ids and batch.infos["reset"][batch.env_ids.tolist().index(slot)]:
            return batch


def test_one_that_ended_is_replaced_and_the_agent_is_told_how_it_ended():
    async def main():
        async with kept(2) as (fleet, keepers):
            before = fleet[1]
            async with SessionPool(fleet, env_id=ENV_ID, fps=60) as pool:
                await pool.reset()
                pool.send([NOTHING, NOTHING])
                await keepers[1].kill()
                fault, batch = await until_fault(pool, 1)
                assert fault["type"] == "ConnectionLostError"
                assert fault["cause_of_death"] == "killed by signal 9"
                assert fault["log_tail"] == "the log of meter-1"
                assert fault["remote"] == str(before)
                assert fault["retryable"]
                batch = await until_back(pool, 1, batch)
                assert fleet[1] != before
                assert fleet[1].name == before.name
                stats = pool.stats()
                assert stats["faults"] == stats["replaced"] == 1
                assert stats["causes"] == {"ConnectionLostError": 1}
                assert stats["slots"][1]["remote"] == str(fleet[1])

    asyncio.run(main())


def test_a_slow_agent_is_told_of_a_loss_that_has_healed():
    async def main():
        async with (
            kept(1) as (fleet, keepers),
            SessionPool(fleet, env_id=ENV_ID, fps=60) as pool,
        ):
            await pool.reset()
            await keepers[0].kill()
            while not (pool.stats()["replaced"] and pool.stats()["slots"][0]["open"]):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            batch = await pool.step([NOTHING])
            assert batch.truncations.tolist() == [True]
            assert batch.infos["fault"][0]["cause_of_death"] == "killed by signal 9"
            await until_back(pool, 0, batch)

    asyncio.run(main())


def test_silence_is_a_loss_of_one_slot_and_the_same_remote_is_taken_up_again():
    async def main():
        async with meters(2) as hosts, wired(hosts[1].remote) as (far, wires):
            remotes = [hosts[0].remote, far]
            async with SessionPool(remotes, env_id=ENV_ID, fps=60, silence=0.5) as pool:
                await pool.reset()
                pool.send([NOTHING, NOTHING])
                wires[0].flowing.clear()  # the connection stands, and nothing comes
                fault, batch = await until_fault(pool, 1)
                assert fault["type"] == "RemoteTimeoutError"
                assert "the VNC server answered nothing for 0.5 s" in fault["reason"]
                wires[0].flowing.set()
                await until_back(pool, 1, batch)
                assert pool.stats()["replaced"] == 0

    asyncio.run(main())


def test_a_silent_one_that_does_not_answer_soon_is_replaced():
    async def main():
        async with kept(1) as (fleet, keepers), wired(fleet[0]) as (far, wires):
            fleet[0] = far
            async with SessionPool(fleet, env_id=ENV_ID, fps=60, silence=0.5) as pool:
                await pool.reset()
                pool.send([NOTHING])
                wires[1].flowing.clear()
                fault, batch = await until_fault(pool, 0)
                assert "the rewarder answered nothing" in fault["reason"]
                await until_back(pool, 0, batch)
                assert keepers[0].told == ["replace"]
                assert pool.stats()["causes"] == {"RemoteTimeoutError": 1}

    asyncio.run(main())


@pytest.mark.parametrize("how", ["rewarder", "fences", "bare"])
def test_a_screen_that_stands_still_is_no_silence(how):
    async def main():
        async with Host(Meter(0.01), env_id=ENV_ID, screen="native", password=None) as host:
            remote = host.remote
            options = {}
            if how != "rewarder":
                remote = replace(remote, rewarder_port=None)
            if how == "bare":
                options["encodings"] = [Encoding.RAW]
            async with SessionPool([remote], fps=100, silence=0.1, **options) as pool:
                await pool.reset()
                link = pool._slots[0].session.vnc
                probes = 0

                def probe(ask=link.probe):
                    nonlocal probes
                    probes += 1
                    ask()

                link.probe = probe
                while probes < 5:
                    batch = await pool.step([NOTHING])
                    assert batch.infos["valid"].all()
                assert link.connection.fences == (how != "bare")

    asyncio.run(main())


def test_replacements_that_answer_nobody_are_not_tried_for_ever():
    async def main():
        async with meters(1) as hosts:
            nobody = hosts[0].remote
        async with kept(2) as (fleet, keepers):
            options = {"env_id": ENV_ID, "fps": 60, "retries": 1, "timeout": 0.2}
            async with SessionPool(fleet, **options) as pool:
                await pool.reset()
                pool.send([NOTHING, NOTHING])
                await keepers[1].kill()

                async def replace_badly():
                    return replace(nobody, name="meter-1")

                keepers[1].replace = replace_badly
                _, batch = await until_fault(pool, 1)
                pool.send([NOTHING] * len(batch))
                fault, _ = await until_fault(pool, 1)
                assert (fault["type"], fault["retryable"]) == ("ConnectError", False)
                assert pool.stats()["causes"] == {"ConnectionLostError": 1, "ConnectError": 1}

    asyncio.run(main())


def test_one_that_is_given_up_is_dropped_and_the_others_go_on():
    async def main():
        async with kept(2) as (fleet, keepers):
            keepers[1].broken = True
            async with SessionPool(fleet, env_id=ENV_ID, fps=60, retries=1) as pool:
                await pool.reset()
                pool.send([NOTHING, NOTHING])
                await keepers[1].kill()
                fault, batch = await until_fault(pool, 1)
                assert fault["retryable"]
                pool.send([NOTHING] * len(batch))
                fault, batch = await until_fault(pool, 1)
                assert (fault["type"], fault["retryable"]) == ("ProvisionError", False)
                for _ in range(3):
                    batch = await pool.step([NOTHING] * len(batch))
                    assert batch.env_ids.tolist() == [0]
                with pytest.raises(RemoteError, match="slot 1 was lost"):
                    await pool.reset(env_ids=[1])

    asyncio.run(main())


def test_one_that_is_given_up_is_an_error_if_so_wanted():
    async def main():
        async with kept(2) as (fleet, keepers):
            keepers[1].broken = True
            options = {"fps": 60, "retries": 1, "on_exhausted": "raise"}
            async with SessionPool(fleet, env_id=ENV_ID, **options) as pool:
                await pool.reset()
                pool.send([NOTHING, NOTHING])
                await keepers[1].kill()
                _, batch = await until_fault(pool, 1)
                with pytest.raises(RemoteError) as raised:
                    await until_back(pool, 1, batch)
                told = str(raised.value)
                for part in ("slot 1", "ConnectionLostError 1x, ProvisionError 1x", "no room"):
                    assert part in told
                assert "killed by signal 9; its log ends with:\nthe log of meter-1" in told
                assert len(await pool.recv()) == 1, "it is said once, and the others go on"

    asyncio.run(main())


HEALS = 12
#: What a session holds; decoders' streams are memory that the cycle collector does not know of.
KINDS = OpeningLink, RewarderLink, Connection


@contextmanager
def no_collector():
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def living():
    objects = gc.get_objects()
    return [sum(type(one) is kind for one in objects) for kind in KINDS]


async def heal_again_and_again(pool, keeper, times):
    """Lose the remote of slot 0 so often, and play until it is back each time."""
    async for batch in pool:
        for row, slot in enumerate(batch.env_ids.tolist()):
            if slot == 0 and batch.infos["reset"][row] and keeper.alive:
                if not times:
                    return
                times -= 1
                await keeper.kill()
        pool.send([[]] * len(batch), batch.env_ids)


def test_a_lost_session_is_gone_when_the_next_is_there(monkeypatch):
    quick = {"tries": 1000, "longest": 0.001}
    monkeypatch.setattr(heal, "Budget", lambda tries: Budget(**quick))

    async def main():
        async with kept(2) as (fleet, keepers), SessionPool(fleet, env_id=ENV_ID) as pool:
            await heal_again_and_again(pool, keepers[0], 2)
            pool.begin_reset()
            with no_collector():
                before = living()
                await heal_again_and_again(pool, keepers[0], HEALS)
                after = living()
            assert pool.stats()["replaced"] >= HEALS
            # One for each slot, and one that a last event of the loop may still name.
            assert max(after) <= 3, (before, after)

    asyncio.run(main())


def test_pauses_of_who_tries_for_ever_stay_finite():
    budget = Budget(tries=10**9, longest=3.0, jitter=lambda: 1.0)
    error = ProvisionError("the engine is busy")
    assert [budget.spend(error, 0.0) for _ in range(2000)][-1] == 3.0
