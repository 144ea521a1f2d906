"""What is asked of slots, by itself; and what comes of another environment in a pool."""

import asyncio
import math
from contextlib import AsyncExitStack
from dataclasses import replace

import numpy as np
import pytest

from auniverse.errors import UsageError
from auniverse.host import Host
from auniverse.vector import SessionPool
from auniverse.vector.wishes import checked_fps, env_ids_for, env_ids_in, seeds_for
from tests.meter import ENV_ID, Meter


def test_a_rewarder_is_told_a_rate_only():
    assert [checked_fps(fps) for fps in (30, "default", None, math.inf)] == [30.0, None, None, None]
    for fps in (0, -1, "fast"):
        with pytest.raises(UsageError, match="fps"):
            checked_fps(fps)


def test_one_env_id_for_all_or_one_for_each():
    assert env_ids_for(2, "a") == ["a", "a"]
    assert env_ids_for(2, None) == [None, None]
    assert env_ids_for(2, ["a", None]) == ["a", None]
    with pytest.raises(UsageError, match="1 env_ids for 2"):
        env_ids_for(2, ["a"])


def test_a_seed_is_counted_up_by_the_slots_own_index():
    assert seeds_for([1, 4], 7) == [8, 11]
    assert seeds_for([1, 4], [7, None]) == [7, None]
    assert seeds_for([1, 4], None) == [None, None]
    with pytest.raises(UsageError, match="1 seeds for 2"):
        seeds_for([1, 4], [7])


def test_options_of_a_reset():
    assert env_ids_in(None, 2) == [None, None]
    assert env_ids_in({"env_id": ["a", "b"]}, 2) == ["a", "b"]
    with pytest.raises(UsageError, match="'level'"):
        env_ids_in({"level": 3}, 2)


class Three(Meter):
    """A meter that is wide or high if its environment is."""

    SIZES = {ENV_ID: (24, 32), "meter.Wide-v0": (24, 48), "meter.High-v0": (40, 32)}

    def load(self, env_id):
        height, width = self.size = self.SIZES[env_id]
        metadata = super().load(ENV_ID)
        return replace(metadata, env_id=env_id, width=width, height=height)

    def _picture(self):
        return np.full((*self.size, 3), 100, np.uint8)


def test_slots_play_different_environments_and_change_them():
    async def main():
        async with AsyncExitStack() as stack:
            hosts = [
                await stack.enter_async_context(
                    Host(Three(), env_id=env_id, screen="native", password=None)
                )
                for env_id in Three.SIZES
            ]
            remotes = [host.remote for host in hosts]
            async with SessionPool(remotes, lockstep=True) as pool:
                observations, infos = await pool.reset()
                assert infos["env_id"].tolist() == list(Three.SIZES)
                assert observations.shape == (3, 40, 48, 3)
                lit = (observations[..., 0] == 100).sum(axis=(1, 2)).tolist()
                assert lit == [24 * 32, 24 * 48, 40 * 32]
                options = {"env_id": ["meter.High-v0", None]}
                observations, infos = await pool.reset(env_ids=[0, 1], options=options)
                assert infos["env_id"].tolist() == ["meter.High-v0", "meter.Wide-v0"]
                batch = await pool.step([[]] * 3, [0, 1, 2])
                lit = (batch.observations[..., 0] == 100).sum(axis=(1, 2)).tolist()
                assert lit == [40 * 32, 24 * 48, 40 * 32]
                assert batch.infos["env_id"].tolist()[0] == "meter.High-v0"
                with pytest.raises(UsageError, match="only 'env_id' is known"):
                    await pool.reset(options={"level": 2})

    asyncio.run(main())
