"""Slots come and go while the others play, and whoever is interrupted leaves nothing behind."""

import asyncio
import random

import pytest

from auniverse.errors import ConnectError, UsageError
from auniverse.vector import SessionPool
from tests.meter import ENV_ID, meters
from tests.vector.keepers import kept, wired

from .crew.inside import InsideCrew

NOTHING = []


@pytest.fixture(autouse=True, params=[SessionPool, InsideCrew], ids=["here", "workers"])
def kind(request, monkeypatch):
    """Every test is done by a pool of its own, and by one with workers."""
    monkeypatch.setitem(globals(), "SessionPool", request.param)


def test_a_pool_grows_and_shrinks_while_it_plays():
    async def main():
        async with (
            kept(2) as (fleet, _),
            SessionPool(fleet, env_id=ENV_ID, fps=100) as pool,
        ):
            await pool.reset(seed=1)
            pool.send([NOTHING, NOTHING])
            new = await pool.add(await fleet.grow(2))
            assert new == [2, 3]
            assert pool.env_ids == [0, 1, 2, 3]
            assert pool.num_envs == 4
            assert (await pool.recv()).env_ids.tolist() == [0, 1]
            observations, infos = await pool.reset(seed=1, env_ids=new)
            assert infos["env_id"].tolist() == [ENV_ID] * 2
            assert observations[:, 0, 0, 1].tolist() == [3, 4], "seeds go by index"
            batch = await pool.step([NOTHING] * 4, range(4))
            assert batch.observations[:, 0, 0, 1].tolist() == [1, 2, 3, 4]
            removed = await pool.remove([0, 2])
            assert [remote.name for remote in removed] == ["meter-0", "meter-2"]
            await fleet.shrink(removed)
            batch = await pool.step([NOTHING] * 2)
            assert batch.env_ids.tolist() == [1, 3]
            assert batch.observations[:, 0, 0, 1].tolist() == [2, 4]
            assert batch.infos["valid"].all()
            with pytest.raises(UsageError, match="env_ids are 1, 3"):
                pool.send([NOTHING], [0])
            assert await pool.add(await fleet.grow(1)) == [0]
            await pool.reset(env_ids=[0])
            batch = await pool.step([NOTHING] * 3, pool.env_ids)
            assert batch.env_ids.tolist() == [0, 1, 3]
            assert pool.stats()["faults"] == 0

    asyncio.run(main())


def test_whoever_waits_for_one_that_goes_is_told():
    async def main():
        async with (
            kept(2) as (fleet, _),
            SessionPool(fleet, env_id=ENV_ID, fps=0.001) as pool,
        ):
            await pool.reset()
            pool.send([NOTHING], [1])
            waiting = asyncio.create_task(pool.recv())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait([waiting])
            await pool.remove([1])
            with pytest.raises(UsageError, match="recv without send"):
                await pool.recv()

    asyncio.run(main())


def test_a_reset_does_not_wait_for_one_that_goes():
    async def main():
        async with meters(2) as hosts, wired(hosts[1].remote) as (far, wires):
            remotes = [hosts[0].remote, far]
            async with SessionPool(remotes, env_id=ENV_ID, silence=None) as pool:
                await pool.reset()
                for wire in wires:
                    wire.flowing.clear()  # the reset will not even be heard of
                waiting = asyncio.create_task(pool.reset())
                for _ in range(3):
                    await asyncio.sleep(0)
                await pool.remove([1])
                _, infos = await waiting
                assert infos["valid"].tolist() == [True]
                waiting = asyncio.create_task(pool.reset())
                await asyncio.sleep(0)
                await pool.remove([0])
                with pytest.raises(UsageError, match="were removed"):
                    await waiting

    asyncio.run(main())


def test_whom_nobody_reaches_is_not_taken_in():
    async def main():
        async with meters(1) as hosts:
            gone = hosts[0].remote
        async with meters(1) as hosts:
            options = {"env_id": ENV_ID, "timeout": 0.3}
            async with SessionPool([hosts[0].remote], **options) as pool:
                await pool.reset()
                with pytest.raises(ConnectError):
                    await pool.add([gone])
                assert pool.env_ids == [0]
                assert len(await pool.step([NOTHING])) == 1
                with pytest.raises(UsageError, match="2 env_ids for 1"):
                    await pool.add([gone], env_id=["a", "b"])

    asyncio.run(main())


async def play(fleet):
    """All that an agent can wait for."""
    async with SessionPool(fleet, env_id=ENV_ID, fps=500) as pool:
        await pool.reset(seed=0)
        new = await pool.add(await fleet.grow(1))
        await pool.reset(env_ids=new)
        await pool.step([NOTHING] * 2, pool.env_ids)
        await pool.pause()
        await pool.resume()
        await fleet.shrink(await pool.remove(new))
        turns = 0
        async for batch in pool:
            pool.send([NOTHING] * len(batch), batch.env_ids)
            turns += 1
            if turns == 3:
                break


def test_cancelled_anywhere_it_leaves_nothing():
    async def turns(task):
        count = 0
        while not task.done():
            await asyncio.sleep(0)
            count += 1
        return count

    async def main():
        rng = random.Random(0)
        async with kept(1) as (fleet, keepers):
            whole = asyncio.create_task(play(fleet))
            length = await turns(whole)
            await whole
        for _ in range(12):
            async with kept(1) as (fleet, keepers):
                task = asyncio.create_task(play(fleet))
                for _ in range(rng.randrange(length)):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.wait([task])
                assert task.cancelled() or task.exception() is None
                for keeper in keepers:  # nobody is left at either end
                    async with asyncio.timeout(10):
                        while keeper.alive and keeper.host._clients():  # noqa: ASYNC110
                            await asyncio.sleep(0.001)
            assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())
