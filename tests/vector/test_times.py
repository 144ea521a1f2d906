"""The parts add up to the time there was, and the largest has its say."""

import asyncio

import pytest

from auniverse.links import Stopwatch
from auniverse.vector import SessionPool
from auniverse.vector.times import PARTS, Times, verdict
from tests.meter import meters


def test_one_part_runs_at_a_time():
    moments = iter([10.0, 11.0, 15.0, 16.0, 22.0, 23.0])
    decoding = Stopwatch()
    times = Times(lambda: next(moments), decoding)
    with times:
        times.turn("waiting")
        decoding.seconds += 2.0
        with times:  # a call inside a call is none of the agent's
            times.turn("stepping")
    times.turn("waiting")
    times.turn("agent")
    decoding.seconds += 4.0  # beside the agent's turn: it costs nothing
    assert times.shares() == {
        "seconds": 13.0,
        "waiting": 3.0,
        "decoding": 2.0,
        "copying": 0.0,
        "stepping": 2.0,
        "agent": 6.0,
    }


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("waiting", "env-bound"),
        ("decoding", "decode-bound"),
        ("copying", "copy-bound"),
        ("stepping", "pool-bound"),
        ("agent", "agent-bound"),
    ],
)
def test_the_largest_part_is_named_and_what_helps(part, name):
    times = Times(float, Stopwatch()).shares() | {part: 71.0, "seconds": 100.0}
    assert verdict(times).startswith(f"{name}: 71% of the time is ")
    assert verdict(Times(float, Stopwatch()).shares()) == "nothing was measured"


def test_a_pool_knows_whom_it_waited_for():
    async def main():
        async with meters(2) as hosts, SessionPool([host.remote for host in hosts]) as pool:
            assert pool.stats()["time"]["seconds"] == 0
            loop = asyncio.get_running_loop()
            began = loop.time()
            await pool.reset()
            for _ in range(3):
                await pool.step([[], []])
                await asyncio.sleep(0.1)  # an agent that thinks
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0):
                    await pool.step([[], []])
            times = pool.stats()["time"]
            wall = loop.time() - began
            assert wall - 0.05 < times["seconds"] <= wall
            assert times["seconds"] == pytest.approx(sum(times[part] for part in PARTS))
            assert times["agent"] >= 0.3
            assert all(times[part] > 0 for part in PARTS)
            assert pool.stats()["bound"] == verdict(times)

    asyncio.run(main())
