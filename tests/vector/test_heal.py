"""How a slot comes back, first by itself, then in pools whose hosts are lost."""

import asyncio
import os
import re
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np
import pytest

from auniverse.errors import AuthenticationError, ConnectionLostError
from auniverse.remotes import launch
from auniverse.vector import Budget, SessionPool
from tests.meter import ENV_ID, meters

NOTHING: list = []

LOST = ConnectionLostError("gone")


def test_pauses_double_up_to_a_limit_and_end():
    budget = Budget(tries=4, pause=1.0, longest=3.0, jitter=lambda: 1.0)
    assert [budget.spend(LOST, 0.0) for _ in range(5)] == [1.0, 2.0, 3.0, 3.0, None]
    assert budget.causes == {"ConnectionLostError": 5}


def test_jitter_halves_a_pause_at_most():
    assert Budget(pause=1.0, jitter=lambda: 0.0).spend(LOST, 0.0) == 0.5


def test_a_refused_password_is_not_tried_again():
    assert Budget().spend(AuthenticationError("no"), 0.0) is None


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
            assert not batch.infos["valid"][-1]
            batch = await pool.step([NOTHING] * len(batch))
            assert batch.env_ids.tolist() == [0], "the other plays on"

    with caplog.at_level("DEBUG", logger="auniverse.remotes"):
        asyncio.run(main())


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_a_long_run_with_many_losses_leaks_nothing():
    """Hosts come and go for five minutes; what the process holds stays the same."""
    minutes = float(os.environ.get("SOAK_MINUTES", "5"))
    rng = np.random.default_rng(0)
    keys = ["a", "q", "t"]

    def held():
        return len(os.listdir("/proc/self/fd")), int(
            re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())[1]
        )

    async def main():
        loop = asyncio.get_running_loop()
        end = loop.time() + 60 * minutes
        async with AsyncExitStack() as stack:
            stacks, remotes = [], []
            for _ in range(4):
                stacks.append(await stack.enter_async_context(AsyncExitStack()))
                (host,) = await stacks[-1].enter_async_context(meters(1))
                remotes.append(host.remote)
            async with SessionPool(remotes, env_id=ENV_ID, fps=120, timeout=2.0) as pool:
                await pool.reset()
                batch = await pool.step([NOTHING] * 4)
                faults = 0
                baseline, doom = None, loop.time() + 5
                while loop.time() < end:
                    actions = [
                        [("KeyEvent", str(rng.choice(keys)), bool(rng.random() < 0.3))]
                        for _ in range(len(batch))
                    ]
                    batch = await pool.step(actions)
                    assert (batch.rewards[~batch.infos["valid"]] == 0).all()
                    faults += int((~batch.infos["valid"]).sum())
                    if loop.time() > doom:
                        doom += 20  # a slot may be lost five times before it has lived a minute
                        victim = int(rng.integers(0, 4))
                        await stacks[victim].aclose()
                        ports = remotes[victim].vnc_port, remotes[victim].rewarder_port
                        again = meters(1, vnc_port=ports[0], rewarder_port=ports[1])
                        await stacks[victim].enter_async_context(again)
                    if baseline is None and loop.time() > end - 45 * minutes:
                        baseline = held()
                assert faults >= 2 * minutes
                descriptors, memory = held()
                assert descriptors <= baseline[0] + 8
                assert memory <= baseline[1] * 1.2
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())
