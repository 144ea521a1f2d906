"""Which slots are waited for, by themselves; in real pools it is tested there."""

import asyncio
from types import SimpleNamespace

import pytest

from auniverse.errors import ConnectionLostError, UsageError
from auniverse.links import Stopwatch
from auniverse.vector import SessionPool
from auniverse.vector.slot import NEVER
from auniverse.vector.times import Times
from auniverse.vector.waiting import (
    MOST_FORESEEN,
    ROUNDING,
    Waiting,
    enough,
    give_up_at,
    refuse_exhausted,
    until_news,
)
from tests.meter import ENV_ID, meters

LOST = ConnectionLostError("gone")


class Slot(SimpleNamespace):
    """One of its kind, as slots are: not equal to another that happens to look alike."""

    __hash__, __eq__ = object.__hash__, object.__eq__


def slot(**how):
    it = {"dead": False, "error": None, "live": True, "session": 1, "lost_for_good": False}
    return Slot(**{**it, "final_error": lambda: LOST, **how})


def test_all_that_play_are_waited_for_and_nobody_else():
    plays, resets, dead = slot(), slot(live=False), slot(dead=True, live=False)
    all_of_them = [plays, resets, dead]
    assert not enough(all_of_them, [], None, lockstep=False)
    assert enough(all_of_them, [plays], None, lockstep=False)
    assert not enough(all_of_them, [plays], None, lockstep=True)
    assert enough(all_of_them, [plays, resets], None, lockstep=True)


def test_so_many_are_enough_but_no_more_than_there_are():
    one, two, dead = slot(), slot(), slot(dead=True)
    assert enough([one, two, dead], [one], 1, lockstep=False)
    assert not enough([one, two, dead], [one], 3, lockstep=False)
    assert enough([one, two, dead], [one, two], 3, lockstep=False)


def test_of_the_dead_nothing_can_come():
    with pytest.raises(ConnectionLostError, match="gone"):
        enough([slot(dead=True, error=LOST)], [], None, lockstep=False)
    with pytest.raises(UsageError, match="were removed"):  # they were taken out
        enough([slot(dead=True)], [], None, lockstep=False)


def test_one_that_was_given_up_is_refused():
    refuse_exhausted([slot(), slot(dead=True)])
    with pytest.raises(ConnectionLostError):
        refuse_exhausted([slot(), slot(lost_for_good=True)])


def test_what_ends_the_waiting():
    async def main():
        loop = asyncio.get_running_loop()
        wake = asyncio.Event()
        arrives = slot(ticking=False, next_time=NEVER)
        loop.call_soon(wake.set)
        await until_news([arrives], wake, NEVER)
        ticks = slot(ticking=True, next_time=loop.time() + 0.01)
        await until_news([ticks, arrives], wake, NEVER)
        assert loop.time() >= ticks.next_time
        await until_news([arrives], wake, loop.time() + 0.01)

    asyncio.run(main())


def test_making_the_batch_is_a_part_of_the_time():
    assert give_up_at(5.0, None, 1.0) == NEVER
    assert give_up_at(5.0, 1.0, 0.25) == 5.75 - ROUNDING
    assert give_up_at(5.0, 0.1, 0.25) == 5.0, "a time that has passed is of no use to a timer"


def test_what_a_batch_takes_is_learned():
    waiting = Waiting(asyncio.Event(), Times(lambda: 0.0, Stopwatch()))
    for _ in range(100):
        waiting.made(0.001)
    assert waiting.making == pytest.approx(0.001, rel=1e-3)
    waiting.made(60.0)  # fresh memory, or a machine that was asleep
    assert waiting.making < 0.002
    for _ in range(100):
        waiting.made(60.0)
    assert waiting.making == pytest.approx(MOST_FORESEEN, rel=1e-3)


def test_whoever_waits_gives_up_before_it_is_too_late_to_make_a_batch():
    async def main():
        async with meters(2) as hosts:
            remotes = [host.remote for host in hosts]
            async with SessionPool(remotes, env_id=ENV_ID, fps=0.1) as pool:
                await pool.reset()
                pool.send([[], []])
                pool._waiting.making = 30.0
                assert len(await pool.recv(timeout=30.0)) == 0  # at once

    asyncio.run(main())


def run(scenario):
    async def main():
        async with meters(2) as hosts:
            remotes = [host.remote for host in hosts]
            async with SessionPool(remotes, env_id=ENV_ID, fps=100) as pool:
                await scenario(pool)

    asyncio.run(main())


def test_whoever_is_ready_comes_by_itself():
    async def scenario(pool):
        seen = [0, 0]
        async for batch in pool:
            for slot in batch.env_ids:
                seen[slot] += 1
            if batch.infos["reset"].any():
                assert min(seen) <= 1, "it began with a reset"
            if min(seen) > 5:
                again = [slot for slot in batch.env_ids if slot == 0]
                pool.send([[]] * len(again), again)
                if seen[0] > 12:
                    break
            else:
                pool.send([[]] * len(batch), batch.env_ids)
        await pool.recv(timeout=0)

    run(scenario)


def test_iteration_ends_when_nobody_owes_a_result():
    async def scenario(pool):
        batches = [batch async for batch in pool]
        assert sorted(slot for batch in batches for slot in batch.env_ids) == [0, 1]

    run(scenario)
