"""Breaks in which nothing moves, and after which nothing was missed."""

import asyncio

import pytest

from auniverse.errors import ProvisionError, UsageError
from auniverse.remotes import launch
from auniverse.vector import SessionPool
from tests.meter import ENV_ID, meters, press
from tests.vector.keepers import kept

NOTHING = []


def test_remotes_stand_still_and_run_on():
    async def main():
        async with (
            launch("gym-core", 1, env_id="gym-core.CartPole-v1", screen="native") as fleet,
            SessionPool(fleet, fps=50, silence=0.3) as pool,
        ):
            await pool.reset(seed=0)
            await pool.step([NOTHING])
            await pool.pause()
            (slot,) = pool._slots
            quiet = asyncio.Event()
            slot.session._links._silence.forget = quiet.set
            for _ in range(8):  # more beats than silence has
                quiet.clear()
                await quiet.wait()
            frame = slot.session.vnc.frame
            quiet.clear()
            await quiet.wait()
            assert slot.session.vnc.frame == frame
            for call in (pool.reset(), pool.step([NOTHING]), pool.pause()):
                with pytest.raises(UsageError, match="paused"):
                    await call
            await pool.resume()
            missed = pool.stats()["missed_deadlines"]
            batch = await pool.step([NOTHING])
            assert batch.infos["valid"].all()
            assert pool.stats()["missed_deadlines"] == missed
            while slot.session.vnc.frame == frame:
                batch = await pool.step([NOTHING])
            assert pool.stats()["faults"] == 0
            await pool.pause()  # a pool that is closed in a break leaves nobody frozen

    asyncio.run(main())


def test_what_was_owed_before_comes_after():
    async def main():
        async with (
            kept(2) as (fleet, keepers),
            SessionPool(fleet, env_id=ENV_ID, fps=1000) as pool,
        ):
            await pool.reset()
            pool.send([NOTHING, NOTHING])
            await pool.pause()
            assert [keeper.told for keeper in keepers] == [["pause"], ["pause"]]
            assert len(await pool.recv(timeout=0.01)) == 0
            await keepers[1].kill()
            await pool.resume()
            await pool.resume()  # twice is once
            assert [keeper.told[1:] for keeper in keepers] == [["resume"], ["resume"]]
            assert 0 in (await pool.recv()).env_ids
            missed = pool.stats()["missed_deadlines"]
            await pool.pause()
            await pool.resume()
            assert pool.stats()["missed_deadlines"] == missed

    asyncio.run(main())


def test_lockstep_needs_no_keeper():
    async def main():
        async with (
            meters(1) as hosts,
            SessionPool([hosts[0].remote], env_id=ENV_ID, lockstep=True) as pool,
        ):
            await pool.reset()
            await pool.pause()
            with pytest.raises(UsageError, match="paused"):
                pool.send([NOTHING])
            await pool.resume()
            batch = await pool.step([press("a")])
            assert batch.observations[0, 0, 0, 0] == 1

    asyncio.run(main())


def test_remotes_by_address_cannot_be_frozen():
    async def main():
        async with meters(1) as hosts, SessionPool([hosts[0].remote], env_id=ENV_ID) as pool:
            await pool.reset()
            with pytest.raises(UsageError, match="given by address"):
                await pool.pause()
            assert len(await pool.step([NOTHING])) == 1

    asyncio.run(main())


def test_one_that_cannot_be_frozen_ends_the_break():
    async def main():
        async with (
            kept(2) as (fleet, keepers),
            SessionPool(fleet, env_id=ENV_ID, fps=60) as pool,
        ):
            await pool.reset()

            async def refuse():
                raise ProvisionError("the engine is busy")

            keepers[1].pause = refuse
            with pytest.raises(ProvisionError, match="busy"):
                await pool.pause()
            assert keepers[0].told == ["pause", "resume"]
            assert len(await pool.step([NOTHING, NOTHING])) == 2

    asyncio.run(main())
