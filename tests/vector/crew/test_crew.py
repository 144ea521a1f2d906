"""What only a pool with workers can do or lose; the rest is in `test_pool`, for both kinds."""

import asyncio
import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest

from auniverse.address import Remote
from auniverse.errors import UsageError, WorkerLostError
from auniverse.remotes import launch
from auniverse.vector import SessionPool, View, attach
from auniverse.vector.crew import Crew
from tests.meter import ENV_ID, HEIGHT, WIDTH, meters, press
from tests.vector.crew.children import children

NOTHING: list = []


def run(scenario, count=3, workers=2, **options):
    async def main():
        async with meters(count) as hosts:
            remotes = [host.remote for host in hosts]
            pool = SessionPool(remotes, env_id=ENV_ID, workers=workers, **options)
            async with pool:
                await scenario(pool)
            await pool.__aexit__(None, None, None)  # twice is once
        assert asyncio.all_tasks() == {asyncio.current_task()}

    before = set(os.listdir("/proc/self/fd"))
    asyncio.run(main())
    assert not children()
    assert set(os.listdir("/proc/self/fd")) == before


def workers_of(caplog):
    return [int(pid) for pid in re.findall(r"worker \d is process (\d+)", caplog.text)]


def test_a_whole_batch_is_not_copied_and_stays_while_it_is_held():
    async def scenario(pool):
        observations, _ = await pool.reset(seed=1)
        held = [observations, *[(await pool.step([NOTHING] * 3)).observations for _ in range(5)]]
        for frame, kept in enumerate(held):
            assert kept.shape == (3, HEIGHT, WIDTH, 3)
            assert (kept[:, 0, 0, 0] == frame).all()
            assert not kept.flags.writeable
        shared = [batch.base is not None for batch in held]
        assert shared == [True] * 3 + [False] * 3, "three of four blocks can be held"

    run(scenario, lockstep=True)


def test_some_slots_at_a_time_over_all_workers():
    async def scenario(pool):
        await pool.reset(seed=1)
        frames = np.zeros(5, int)
        for turn in range(30):
            chosen = [turn % 5, (turn + 3) % 5]
            pool.send([press("a")] * 2, chosen)
            batch = await pool.recv(min_envs=2)
            frames[chosen] += 1
            assert sorted(chosen) == batch.env_ids.tolist()
            assert batch.observations[:, 0, 0, 0].tolist() == frames[sorted(chosen)].tolist()
            assert batch.rewards.tolist() == [1.0, 1.0]
        assert pool.stats()["reward_sum"] == 60.0
        assert [slot["reward_sum"] for slot in pool.stats()["slots"]] == frames.tolist()

    run(scenario, count=5, workers=3, lockstep=True)


def test_a_killed_worker_is_a_fault_of_its_slots_and_comes_back(caplog):
    async def scenario(pool):
        await pool.reset(seed=1)
        for _ in range(4):
            await pool.step([press("a")] * 3)
        before = pool.stats()
        os.kill(workers_of(caplog)[1], signal.SIGKILL)
        batch = await pool.step([NOTHING] * 3)
        while "fault" not in batch.infos:
            batch = await pool.step([NOTHING] * len(batch))
        assert batch.env_ids.tolist() == [0, 1, 2]
        assert batch.infos["valid"].tolist() == [True, True, False]
        assert batch.truncations.tolist() == [False, False, True]
        assert batch.rewards[2] == 0.0
        fault = batch.infos["fault"][2]
        assert fault["type"] == "WorkerLostError"
        assert "killed by signal 9" in fault["reason"]
        assert fault["retryable"]
        assert fault["remedy"]
        assert batch.observations[2, 0, 0, 0] >= 4, "it shows what was last seen"
        batch = await pool.step([NOTHING] * 3)
        assert batch.env_ids.tolist() == [0, 1], "the others go on"
        while 2 not in batch.env_ids:
            batch = await pool.step([NOTHING] * len(batch))
        assert batch.infos["reset"].tolist()[-1]
        assert batch.infos["valid"].all()
        after = pool.stats()
        assert after["faults"] == after["slots"][2]["faults"] == 1
        assert after["slots"][2]["reward_sum"] == before["slots"][2]["reward_sum"]
        assert after["slots"][2]["open"]

    with caplog.at_level("DEBUG", logger="auniverse.vector.crew"):
        run(scenario, fps=60)


def test_a_frozen_worker_is_a_fault_and_the_others_play_on(caplog, monkeypatch):
    monkeypatch.setattr(Crew, "least_silence", 1.0)

    async def scenario(pool):
        await pool.reset(seed=1)
        frozen = workers_of(caplog)[1]
        os.kill(frozen, signal.SIGSTOP)
        alone, batch = 0, await pool.step([NOTHING] * 3)
        while "fault" not in batch.infos:
            alone += batch.env_ids.tolist() == [0, 1]
            batch = await pool.step([NOTHING] * len(batch))
        assert alone > 0, "before anybody was sure that it is lost"
        fault = batch.infos["fault"][batch.env_ids.tolist().index(2)]
        assert fault["type"] == "WorkerLostError"
        assert "answered nothing for 1 s" in fault["reason"]
        assert frozen not in children()
        while 2 not in batch.env_ids or not batch.infos["reset"][-1]:
            batch = await pool.step([NOTHING] * len(batch))
        assert batch.infos["valid"].all()
        stats = pool.stats()
        assert stats["causes"] == {"WorkerLostError": 1}
        assert [slot["faults"] for slot in stats["slots"]] == [0, 0, 1]

    with caplog.at_level("DEBUG", logger="auniverse.vector.crew"):
        run(scenario, fps=60, silence=1.0)


def test_screens_can_be_seen_whatever_the_view(caplog):
    async def scenario(pool):
        assert pool.screen(0).shape == (HEIGHT, WIDTH, 3)
        await pool.reset(seed=7)
        await pool.step([press("a")] * 3)
        assert [pool.screen(slot)[0, 0].tolist() for slot in range(3)] == [
            [1, 7, 1],
            [1, 8, 1],
            [1, 9, 1],
        ]
        with pytest.raises(UsageError, match="env_ids are"):
            pool.screen(3)
        worker = workers_of(caplog)[0]
        os.kill(worker, signal.SIGKILL)
        while not pool.stats()["causes"]:
            await pool.step([NOTHING] * 3, range(3))
        assert pool.screen(0).shape in {(0, 0, 3), (HEIGHT, WIDTH, 3)}, "gone, or back already"

    with caplog.at_level("DEBUG", logger="auniverse.vector.crew"):
        run(scenario, lockstep=True, view=View(size=(4, 4)))


def test_there_is_room_for_so_many(monkeypatch):
    monkeypatch.setattr("auniverse.vector.crew.crew.ROOM", 0)

    async def scenario(pool):
        with pytest.raises(UsageError, match="room for 3"):
            await pool.add([Remote("127.0.0.1", 1, 2)])
        assert pool.num_envs == 3

    run(scenario)


def test_a_worker_lost_in_a_reset_is_a_fault_too(caplog):
    async def scenario(pool):
        pool.begin_reset(seed=3)
        os.kill(workers_of(caplog)[0], signal.SIGKILL)
        observations, infos = await pool.reset(seed=3)
        while not infos["valid"].all():
            assert {fault["type"] for fault in infos["fault"] if fault} == {"WorkerLostError"}
            observations, infos = await pool.reset(seed=3)
        assert observations[:, 0, 0, 1].tolist() == [3, 4, 5]

    with caplog.at_level("DEBUG", logger="auniverse.vector.crew"):
        run(scenario, lockstep=True)


PARENT = """
import asyncio, logging, sys
from auniverse.address import parse_remotes
from auniverse.vector import SessionPool, View, attach
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)

async def main():
    async with SessionPool(parse_remotes(sys.argv[1]), workers=2) as pool:
        await pool.reset()
        print("playing", flush=True)
        while True:
            await pool.step([[]] * 2)

asyncio.run(main())
"""


async def end_of(process):
    """Wait until a process has ended, of which a pidfd is given."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(process, ended.set)
    await ended.wait()
    asyncio.get_running_loop().remove_reader(process)
    os.close(process)


def test_nothing_outlives_a_parent_that_is_killed():
    async def main():
        async with meters(2) as hosts:
            addresses = ",".join(str(host.remote) for host in hosts) + "?password=secret12"
            parent = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", PARENT, addresses), stdout=subprocess.PIPE
            )
            said = ""
            while "playing" not in said:
                said += (await parent.stdout.readline()).decode()
            pids = [int(pid) for pid in re.findall(r"worker \d is process (\d+)", said)]
            assert len(pids) == 2
            files = [os.readlink(f"/proc/{pid}/fd/{fd}") for pid in pids for fd in fds(pid)]
            assert sum("memfd:auniverse" in file for file in files) >= 2
            workers = [os.pidfd_open(pid) for pid in pids]
            parent.kill()
            await parent.wait()
            async with asyncio.timeout(30):
                for worker in workers:
                    await end_of(worker)

    asyncio.run(main())


def fds(pid):
    return os.listdir(f"/proc/{pid}/fd")


def test_what_cannot_be():
    async def main():
        async with meters(1) as hosts:
            remotes = [hosts[0].remote]
            for workers in (0, -1, True, 1.5, "two"):
                with pytest.raises(UsageError, match="workers="):
                    SessionPool(remotes, workers=workers)
            with pytest.raises(UsageError, match="link 'moon'"):
                await SessionPool(remotes, workers=1, link="moon").__aenter__()
            with pytest.raises(UsageError, match="fps"):
                SessionPool(remotes, workers=1, fps=-1)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())
    assert not children()


def test_more_workers_than_remotes_are_not_started():
    async def scenario(pool):
        assert len(children()) == 1
        await pool.reset()

    run(scenario, count=1, workers=8)


def test_a_lost_remote_is_replaced_by_the_parent_which_can_freeze_it_too(caplog):
    async def main():
        async with (
            launch("gym-core", 2, env_id="gym-core.CartPole-v1", screen="160x120") as remotes,
            SessionPool(remotes, fps=30, workers=2) as pool,
        ):
            _, infos = await pool.reset(seed=0)
            await pool.pause()
            with pytest.raises(UsageError, match="paused"):
                await pool.step([NOTHING, NOTHING])
            await pool.resume()
            batch = await pool.step([NOTHING, NOTHING])
            assert batch.infos["valid"].all()
            os.kill(int(re.search(r"gym-core-0 is process (\d+)", caplog.text)[1]), signal.SIGKILL)
            while "fault" not in batch.infos:
                batch = await pool.step([NOTHING] * len(batch))
            fault = batch.infos["fault"][0]
            assert "serving" in fault["log_tail"]
            while not (batch.env_ids[0] == 0 and batch.infos["reset"][0]):
                batch = await pool.step([NOTHING] * len(batch))
            assert batch.infos["remote"][0] == str(remotes[0]) != infos["remote"][0]
            assert pool.stats()["replaced"] == 1
            assert pool.stats()["causes"] == {fault["type"]: 1}

    with caplog.at_level("DEBUG", logger="auniverse.remotes"):
        asyncio.run(main())


def test_the_end_of_a_worker_is_raised_if_that_is_wanted(caplog):
    async def scenario(pool):
        await pool.reset()
        os.kill(workers_of(caplog)[1], signal.SIGKILL)
        with pytest.raises(WorkerLostError, match="signal 9"):
            await play_on(pool)

    async def play_on(pool):
        while True:
            await pool.step([NOTHING] * 3)

    with caplog.at_level("DEBUG", logger="auniverse.vector.crew"):
        run(scenario, lockstep=True, retries=0, on_exhausted="raise")


def test_views_are_made_by_workers_and_copies_by_the_parent():
    view = View(size=(6, 8), grey=True, stack=2)

    async def scenario(pool):
        observations, _ = await pool.reset(seed=200)
        assert observations.shape == (3, *view.shape(HEIGHT, WIDTH))
        assert observations.flags.writeable
        step = (await pool.step([NOTHING] * 3)).observations
        assert not np.shares_memory(observations, step)
        assert (observations > 0).all()
        screen = pool.screen(2)
        assert screen.shape == (HEIGHT, WIDTH, 3), "whole screens can be seen all the same"
        assert screen[0, 0].tolist() == [1, 202, 0]

    run(scenario, lockstep=True, view=view, copy=True)


def test_batches_can_be_shared_further():
    async def scenario(pool):
        await pool.reset(seed=3)
        whole = await pool.step([NOTHING] * 3)
        pool.send([NOTHING], [1])
        part = await pool.recv()
        for batch in (whole, part):
            theirs = attach(batch.share())
            assert np.array_equal(theirs, batch.observations)
            assert not np.shares_memory(theirs, batch.observations)

    run(scenario, lockstep=True, shared_memory=True)
