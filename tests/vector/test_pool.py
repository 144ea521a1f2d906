"""A pool on real hosts of a small program, in the same event loop; then with two workers."""

import asyncio
import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from auniverse.address import Remote
from auniverse.errors import AuthenticationError, ConnectError, RewarderReplyError, UsageError
from auniverse.vector import SessionPool
from tests.meter import ENV_ID, HEIGHT, WIDTH, lift, meters, press

NOTHING = []


@pytest.fixture(autouse=True, params=[None, 2], ids=["here", "workers"])
def kind(request, monkeypatch):
    """Every test holds for both kinds of pool."""
    monkeypatch.setitem(globals(), "SessionPool", partial(SessionPool, workers=request.param))


def run(scenario, count=2, **options):
    """Run a scenario with a pool on meters."""

    async def main():
        async with meters(count) as hosts:
            remotes = [host.remote for host in hosts]
            async with SessionPool(remotes, env_id=ENV_ID, **options) as pool:
                await scenario(pool)
        assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]

    asyncio.run(main())


def test_reset_gives_the_first_frames():
    async def scenario(pool):
        observations, infos = await pool.reset(seed=5)
        assert observations.shape == (2, HEIGHT, WIDTH, 3)
        assert observations[:, 0, 0, 1].tolist() == [5, 6]
        assert observations[:, 0, 0, 0].tolist() == [0, 0]
        assert infos["reset"].all()
        assert infos["valid"].all()
        assert infos["env_id"].tolist() == [ENV_ID] * 2
        assert pool.observation_shape == (HEIGHT, WIDTH, 3)

    run(scenario, lockstep=True)


def test_a_reset_can_be_left_to_recv():
    async def scenario(pool):
        pool.begin_reset(seed=5)
        batch = await pool.recv(min_envs=2)
        assert batch.infos["reset"].all()
        assert batch.observations[:, 0, 0, 1].tolist() == [5, 6]
        pool.begin_reset(env_ids=[1])
        batch = await pool.recv()
        assert batch.env_ids.tolist() == [1]

    run(scenario, lockstep=True)


def test_seeds_may_be_given_one_by_one():
    async def scenario(pool):
        observations, _ = await pool.reset(seed=[7, None])
        assert observations[:, 0, 0, 1].tolist() == [7, 0]
        with pytest.raises(UsageError, match="1 seeds for 2"):
            await pool.reset(seed=[1])

    run(scenario, lockstep=True)


def test_lockstep_is_one_frame_a_step():
    async def scenario(pool):
        await pool.reset(seed=0)
        for frame in range(1, 6):
            batch = await pool.step([press("a"), NOTHING])
            assert batch.env_ids.tolist() == [0, 1]
            assert batch.observations[:, 0, 0, 0].tolist() == [frame, frame]
            assert batch.rewards.tolist() == [1.0, 0.0]
            assert not batch.terminations.any()

    run(scenario, lockstep=True)


def test_lockstep_begins_the_next_episode_by_itself():
    async def scenario(pool):
        await pool.reset(seed=3)
        batch = await pool.step([press("q"), NOTHING])
        assert batch.terminations.tolist() == [True, False]
        assert not batch.truncations.any()
        batch = await pool.step([press("a"), NOTHING])
        assert batch.infos["reset"].tolist() == [True, False]
        assert batch.rewards.tolist() == [0.0, 0.0]
        assert batch.observations[:, 0, 0, 0].tolist() == [0, 2]
        batch = await pool.step([NOTHING, NOTHING])
        assert batch.rewards.tolist() == [0.0, 0.0], "the key of the dropped action is not down"

    run(scenario, lockstep=True)


def test_truncation_is_told_from_termination():
    async def scenario(pool):
        await pool.reset()
        batch = await pool.step([press("t"), press("q")])
        assert batch.truncations.tolist() == [True, False]
        assert batch.terminations.tolist() == [False, True]

    run(scenario, lockstep=True)


def test_a_crash_of_the_program_is_a_fault_and_no_reward():
    async def scenario(pool):
        await pool.reset()
        batch = await pool.step([press("x"), press("a")])
        assert batch.truncations.tolist() == [True, False]
        assert not batch.terminations.any()
        assert batch.infos["valid"].tolist() == [False, True]
        assert "crashed as asked" in batch.infos["fault"][0]["reason"]
        assert batch.infos["_fault"].tolist() == [True, False]
        batch = await pool.step([NOTHING, NOTHING])
        assert batch.infos["reset"].tolist() == [True, False]
        assert batch.infos["valid"].all()

    run(scenario, lockstep=True)


def test_real_time_runs_on_and_rewards_add_up():
    async def scenario(pool):
        await pool.reset(seed=0)
        total = np.zeros(2)
        batch = await pool.step([press("a"), NOTHING])
        total += batch.rewards
        while total[0] < 20 or batch.observations[1, 0, 0, 0] < 20:  # either may be late
            batch = await pool.step([NOTHING, NOTHING])
            assert batch.env_ids.tolist() == [0, 1]
            total += batch.rewards
        assert total[1] == 0
        assert batch.observations[1, 0, 0, 0] >= 20
        assert batch.infos["frame_age_s"].max() < 10
        assert batch.infos["lag_action_s"][0] > 0
        assert np.isnan(batch.infos["lag_action_s"][1])

    run(scenario, fps=60)


def test_real_time_begins_the_next_episode_by_itself():
    async def scenario(pool):
        await pool.reset()
        batch = await pool.step([press("q"), NOTHING])
        ends, begins = batch.terminations.sum(), 0
        for _ in range(500):
            batch = await pool.step([NOTHING] * len(batch))
            ends += batch.terminations.sum()
            begins += batch.infos["reset"].sum()
            if begins:
                break
        assert ends == begins == 1
        assert batch.infos["episode_id"][0] > batch.infos["episode_id"][-1]

    run(scenario, fps=60)


def test_keys_are_lifted_by_a_reset():
    async def scenario(pool):
        await pool.reset()
        await pool.step([press("a"), press("a")])
        await pool.reset()
        batch = await pool.step([NOTHING, NOTHING])
        assert batch.observations[:, 0, 0, 2].tolist() == [0, 0]

    run(scenario, lockstep=True)


def test_send_and_recv_serve_whoever_is_ready():
    async def scenario(pool):
        await pool.reset()
        pool.send([press("a")], [1])
        batch = await pool.recv(min_envs=1)
        assert batch.env_ids.tolist() == [1]
        assert batch.observations.shape == (1, HEIGHT, WIDTH, 3)
        pool.send([lift("a")])  # the slots of the last batch
        with pytest.raises(UsageError, match="slot 1"):
            pool.send([NOTHING], [1])
        pool.send([NOTHING], [0])
        batch = await pool.recv(min_envs=2)
        assert batch.env_ids.tolist() == [0, 1]

    run(scenario, lockstep=True)


def test_recv_gives_up_in_time_with_what_there_is():
    async def scenario(pool):
        await pool.reset()
        pool.send([NOTHING, NOTHING])
        batch = await pool.recv(timeout=0.0)
        assert len(batch) == 0
        assert batch.observations.shape == (0, HEIGHT, WIDTH, 3)
        batch = await pool.recv(min_envs=2, timeout=30.0)
        assert len(batch) == 2

    run(scenario, fps=5)


def test_misuse_is_told():
    async def scenario(pool):
        await pool.reset()
        with pytest.raises(UsageError, match="recv without send"):
            await pool.recv()
        with pytest.raises(UsageError, match="1 actions for 2"):
            pool.send([NOTHING])
        with pytest.raises(UsageError, match="env_ids are 0, 1"):
            pool.send([NOTHING], [2])
        with pytest.raises(UsageError, match="llama"):
            pool.send([[("KeyEvent", "llama", True)], NOTHING])
        assert len(await pool.step([NOTHING, NOTHING])) == 2, "nothing was sent by the bad calls"

    run(scenario, lockstep=True)


def test_a_pool_is_used_while_it_is_open():
    async def main():
        async with meters(1) as hosts:
            pool = SessionPool([hosts[0].remote], env_id=ENV_ID)
            with pytest.raises(UsageError, match="async with"):
                await pool.reset()

    asyncio.run(main())


def test_infinite_fps_never_waits_and_no_fps_waits_for_news():
    async def scenario(pool):
        await pool.reset()
        for _ in range(20):
            batch = await pool.step([NOTHING, NOTHING])
        assert len(batch) == 2

    run(scenario, fps=math.inf)
    run(scenario, fps=None)


def test_one_refused_remote_leaves_the_others_alone():
    async def main():
        async with meters(3) as hosts:
            remotes = [host.remote for host in hosts]
            remotes[1] = replace(remotes[1], vnc_password="wrong", rewarder_password="wrong")
            async with SessionPool(remotes, env_id=ENV_ID, lockstep=True) as pool:
                _, infos = await pool.reset(seed=0)
                assert infos["valid"].tolist() == [True, False, True]
                fault = infos["fault"][1]
                assert fault["type"] == "AuthenticationError"
                assert str(remotes[1]) in fault["remote"]
                assert fault["remedy"]
                assert not fault["retryable"]
                pool.send([press("a")] * 3)
                batch = await pool.recv()
                assert batch.env_ids.tolist() == [0, 2]
                assert batch.rewards.tolist() == [1.0, 1.0]

    asyncio.run(main())


def test_all_refused_is_an_error():
    async def main():
        async with meters(2) as hosts:
            remotes = [replace(host.remote, vnc_password="wrong") for host in hosts]
            with pytest.raises(AuthenticationError, match="password"):
                await SessionPool(remotes, env_id=ENV_ID).__aenter__()

    asyncio.run(main())


def test_an_unknown_env_is_refused_by_name():
    async def main():
        async with (
            meters(1) as hosts,
            SessionPool([hosts[0].remote], env_id="meter.Llama-v0") as pool,
        ):
            with pytest.raises(RewarderReplyError, match="Llama"):
                await pool.reset()

    asyncio.run(main())


def test_nobody_listens():
    async def main():
        async with meters(1) as hosts:
            remote = hosts[0].remote
        with pytest.raises(ConnectError, match=str(remote.vnc_port)):
            await SessionPool([remote], env_id=ENV_ID, timeout=0.3).__aenter__()

    asyncio.run(main())


def test_cancelling_recv_loses_nothing():
    async def scenario(pool):
        await pool.reset()
        pool.send([NOTHING, NOTHING])
        waiting = asyncio.create_task(pool.recv())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert len(await pool.recv()) == 2

    run(scenario, fps=20)


def test_cancelling_the_opening_leaves_nothing_behind():
    async def main():
        async with meters(2) as hosts:
            remotes = [host.remote for host in hosts]
            opening = asyncio.create_task(SessionPool(remotes, env_id=ENV_ID).__aenter__())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            opening.cancel()
            with pytest.raises(asyncio.CancelledError):
                await opening
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def test_bad_arguments():
    with pytest.raises(UsageError, match="no remotes"):
        SessionPool([])
    for fps in (0, -1, "fast"):
        with pytest.raises(UsageError, match="fps"):
            SessionPool([Remote("h", 1, 2)], fps=fps)


def test_env_ids_for_each_slot():
    async def main():
        async with meters(2) as hosts:
            remotes = [host.remote for host in hosts]
            async with SessionPool(remotes, env_id=[ENV_ID, None], lockstep=True) as pool:
                _, infos = await pool.reset()
                assert infos["env_id"].tolist() == [ENV_ID, ENV_ID]
            with pytest.raises(UsageError, match="1 env_ids for 2"):
                SessionPool(remotes, env_id=[ENV_ID])

    asyncio.run(main())


@pytest.mark.parametrize("kind", [None], indirect=True)  # it looks into a session
def test_an_agent_that_thinks_for_long_sees_what_is_then():
    """Hundreds of frames come while it thinks; none of them waits for it."""

    async def scenario(pool):
        await pool.reset(seed=0)
        await pool.step([press("a"), NOTHING])
        link = pool._slots[0].session.vnc
        begin = link.frame.number
        while link.frame.number < begin + 300:
            await link_news(pool)
        batch = await pool.step([lift("a"), NOTHING])
        assert batch.observations[0, 0, 0, 0] == link.pixels[0, 0, 0], "the newest it has"
        assert link.frame.number >= begin + 300
        assert batch.rewards[0] >= 290, "what was earned meanwhile is one sum"
        assert batch.infos["valid"].all()
        assert batch.infos["missed_deadlines"][0] > 10
        batch = await pool.step([NOTHING, NOTHING])
        assert batch.rewards[0] < 60

    async def link_news(pool):
        pool._wake.clear()
        await pool._wake.wait()

    run(scenario, fps=60, silence=0.4)
