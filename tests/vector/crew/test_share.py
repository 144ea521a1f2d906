"""A worker's pool does as it is told, here without a process around it."""

import asyncio
from dataclasses import replace

from auniverse.address import Remote
from auniverse.errors import ConnectError
from auniverse.remotes import Fleet
from auniverse.spaces import parse_events
from auniverse.vector import attach
from auniverse.vector.crew.memory import nameless_file
from auniverse.vector.crew.orders import (
    Act,
    Begin,
    Collect,
    Done,
    Enter,
    Leave,
    Open,
    Patience,
    Place,
    Settle,
    Withdraw,
)
from auniverse.vector.crew.share import Share
from tests.meter import ENV_ID, HEIGHT, WIDTH, meters, press

#: The pool's indices of the slots: a worker's are not the first ones.
SLOTS = (1, 2, 4)


def run(scenario, **options):
    async def main():
        async with meters(2) as hosts:
            remotes = Fleet([*(host.remote for host in hosts), Remote("127.0.0.1", 1, 2)])
            options.setdefault("timeout", 1.0)
            file = options.pop("file", None)
            pairs = zip(SLOTS, remotes, strict=True)
            places = [Place(slot, remote, ENV_ID, False) for slot, remote in pairs]
            async with Share(remotes, Open(places, options), file=file) as share:
                share.opened()
                await scenario(share)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


async def ask(share, slots, patience, seconds=None, number=1):
    return await share.obey(Collect(number, slots, patience, seconds, 0))


def test_it_opens_with_whoever_is_there_and_says_so():
    async def scenario(share):
        opened = share.opened()
        kinds = {index: type(tried.error) for index, tried in opened.tried.items()}
        assert kinds == {1: type(None), 2: type(None), 4: ConnectError}
        assert opened.news.size == (HEIGHT, WIDTH)
        assert opened.news.stats.keys() == {1, 2, 4}

    run(scenario)


def test_a_reset_answers_for_all_and_the_rest_for_those_that_play():
    async def scenario(share):
        share.obey(Begin([(1, 5, None), (2, 6, None), (4, 7, None)]))
        answer = await ask(share, [1, 2, 4], Patience.RESET)
        assert answer.begun == 1
        assert [result.slot for result in answer.results] == [1, 2, 4]
        assert [result.info["valid"] for result in answer.results] == [True, True, False]
        assert answer.pixels[:2, 0, 0, 1].tolist() == [5, 6]
        assert list(answer.lost) == [4]
        share.obey(
            Act([(slot, list(parse_events(press("a")))) for slot in (1, 2, 4, 9)])
        )  # 9 has left
        answer = await ask(share, [1, 2, 4], Patience.PLAYING)
        assert [(result.slot, result.reward) for result in answer.results] == [(1, 1.0), (2, 1.0)]
        answer = await ask(share, [4], Patience.PLAYING)
        assert answer.results == [], "nobody plays: that is an answer, too"
        answer = await ask(share, [1, 4], Patience.SOME, seconds=0.0)
        assert answer.results == [], "slot 1 owes nothing"

    run(scenario, lockstep=True)


def test_what_is_withdrawn_or_overtaken_is_lost_to_nobody():
    async def scenario(share):
        share.obey(Begin([(1, 1, None), (2, 1, None)]))
        first = share.obey(Collect(1, [1, 2], Patience.ALL, None, 0))
        second = share.obey(Collect(2, [1, 2], Patience.ALL, None, 0))
        share.obey(Withdraw())
        await asyncio.wait((first, second))
        assert first.cancelled()
        assert second.cancelled()
        answer = await ask(share, [1, 2], Patience.ALL, number=3)
        assert len(answer.results) == 2
        assert answer.number == 3

    run(scenario, fps=60)


def test_before_there_is_a_place_for_pixels_it_tells_their_size():
    file = nameless_file()

    async def scenario(share):
        share.obey(Begin([(1, 9, None), (2, 9, None)]))
        answer = await ask(share, [1, 2], Patience.ALL)
        assert answer.results == []
        assert answer.news.size == (HEIGHT, WIDTH)
        share.obey(Settle((HEIGHT, WIDTH), 9))
        answer = await ask(share, [1, 2], Patience.ALL)
        assert [result.slot for result in answer.results] == [1, 2]
        assert answer.pixels is None

    run(scenario, lockstep=True, file=file)


def test_slots_come_and_go_and_screens_can_be_looked_into():
    file = nameless_file()

    async def scenario(share):
        screens = share.opened().news.screens  # for the second time: they were told of before
        assert screens is None
        (gone,) = share.remotes_of([1])
        assert await share.obey(Leave(7, [1, 9])) == Done(7)
        assert share.env_ids == [2, 4]
        entered = await share.obey(Enter([Place(0, gone, ENV_ID, False)]))
        assert entered.tried[0].error is None
        assert share.env_ids == [0, 2, 4]
        assert attach(entered.news.screens[0]).shape == (HEIGHT, WIDTH, 4)
        entered = await share.obey(Enter([Place(5, replace(gone, vnc_port=1), ENV_ID, False)]))
        assert isinstance(entered.tried[5].error, ConnectError)
        assert not entered.tried[5].dead, "it is tried again"

    run(scenario, lockstep=True, file=file)
