"""A worker's pool does as it is told, here without a process around it."""

import asyncio

from auniverse.address import Remote
from auniverse.errors import ConnectError
from auniverse.remotes import Fleet
from auniverse.spaces import parse_events
from auniverse.vector.crew.memory import nameless_file
from auniverse.vector.crew.orders import Act, Begin, Collect, Patience, Settle, Withdraw
from auniverse.vector.crew.share import Share
from tests.meter import ENV_ID, HEIGHT, WIDTH, meters, press


def run(scenario, **options):
    async def main():
        async with meters(2) as hosts:
            remotes = Fleet([*(host.remote for host in hosts), Remote("127.0.0.1", 1, 2)])
            options.setdefault("timeout", 1.0)
            async with Share(remotes, env_id=[ENV_ID] * 3, **options) as share:
                await scenario(share)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


async def ask(share, slots, patience, seconds=None, number=1):
    return await share.obey(Collect(number, slots, patience, seconds, 0))


def test_it_opens_with_whoever_is_there_and_says_so():
    async def scenario(share):
        opened = share.opened()
        assert [type(error) for error in opened.errors] == [type(None), type(None), ConnectError]
        assert opened.news.size == (HEIGHT, WIDTH)
        assert len(opened.news.stats["slots"]) == 3

    run(scenario)


def test_a_reset_answers_for_all_and_the_rest_for_those_that_play():
    async def scenario(share):
        share.obey(Begin([(0, 5, None), (1, 6, None), (2, 7, None)]))
        answer = await ask(share, [0, 1, 2], Patience.RESET)
        assert answer.begun == 1
        assert [result.slot for result in answer.results] == [0, 1, 2]
        assert [result.info["valid"] for result in answer.results] == [True, True, False]
        assert answer.pixels[:2, 0, 0, 1].tolist() == [5, 6]
        assert list(answer.lost) == [2]
        share.obey(Act([(slot, list(parse_events(press("a")))) for slot in (0, 1, 2)]))
        answer = await ask(share, [0, 1, 2], Patience.PLAYING)
        assert [(result.slot, result.reward) for result in answer.results] == [(0, 1.0), (1, 1.0)]
        answer = await ask(share, [2], Patience.PLAYING)
        assert answer.results == [], "nobody plays: that is an answer, too"
        answer = await ask(share, [0, 2], Patience.SOME, seconds=0.0)
        assert answer.results == [], "slot 0 owes nothing"

    run(scenario, lockstep=True)


def test_what_is_withdrawn_or_overtaken_is_lost_to_nobody():
    async def scenario(share):
        share.obey(Begin([(0, 1, None), (1, 1, None)]))
        first = share.obey(Collect(1, [0, 1], Patience.ALL, None, 0))
        second = share.obey(Collect(2, [0, 1], Patience.ALL, None, 0))
        share.obey(Withdraw())
        await asyncio.wait((first, second))
        assert first.cancelled()
        assert second.cancelled()
        answer = await ask(share, [0, 1], Patience.ALL, number=3)
        assert len(answer.results) == 2
        assert answer.number == 3

    run(scenario, fps=60)


def test_before_there_is_a_place_for_pixels_it_tells_their_size():
    file = nameless_file()

    async def scenario(share):
        share.obey(Begin([(0, 9, None), (1, 9, None)]))
        answer = await ask(share, [0, 1], Patience.ALL)
        assert answer.results == []
        assert answer.news.size == (HEIGHT, WIDTH)
        share.obey(Settle((HEIGHT, WIDTH), 5, 1))
        answer = await ask(share, [0, 1], Patience.ALL)
        assert [result.slot for result in answer.results] == [0, 1]
        assert answer.pixels is None

    run(scenario, lockstep=True, file=file)
