"""What a worker cannot do itself is asked for, and what comes of it comes back."""

import asyncio

import pytest

from auniverse.address import Remote
from auniverse.errors import ProvisionError
from auniverse.vector.crew.fleet import FarFleet
from auniverse.vector.crew.orders import Ask, Doing, Place, Told

KEPT = Remote("a", 1, 2, name="kept")
GIVEN = Remote("b", 3, 4, name="given")
PLACES = [Place(0, KEPT, None, True), Place(1, GIVEN, None, False)]


def test_what_is_kept_elsewhere_can_be_replaced_and_nothing_else():
    fleet = FarFleet(PLACES, print)
    assert list(fleet) == [KEPT, GIVEN]
    assert fleet.can_replace(KEPT)
    assert not fleet.can_replace(GIVEN)
    assert fleet.alive(KEPT)
    assert fleet.alive(GIVEN) is None


def test_how_a_remote_is_doing_is_what_was_last_told():
    async def main():
        def say(ask):
            assert ask.what == "describe"
            fleet.hear(Told(ask.number, Doing(False, "the log", "killed by signal 9"), None))

        fleet = FarFleet(PLACES, say)
        await fleet.refresh(KEPT)
        await fleet.refresh(GIVEN)
        assert fleet.alive(KEPT) is False
        assert fleet.log_tail(KEPT) == "the log"
        assert fleet.cause_of_death(KEPT) == "killed by signal 9"
        assert fleet.cause_of_death(GIVEN) == ""

    asyncio.run(main())


def test_a_replacement_takes_the_place():
    new = Remote("a", 5, 6, name="kept")

    async def main():
        asked = []
        fleet = FarFleet(PLACES, asked.append)
        replacing = asyncio.create_task(fleet.replace(KEPT))
        pausing = asyncio.create_task(fleet.pause(KEPT))
        await asyncio.sleep(0)
        assert asked == [Ask(1, "replace", KEPT), Ask(2, "pause", KEPT)]
        fleet.hear(Told(2, None, None))
        fleet.hear(Told(1, new, None))
        fleet.hear(Told(7, None, None))
        assert await replacing == new
        await pausing
        assert list(fleet) == [new, GIVEN]

    asyncio.run(main())


def test_an_error_comes_back_as_it_is():
    async def main():
        fleet = FarFleet(
            PLACES, lambda ask: fleet.hear(Told(ask.number, None, ProvisionError("no")))
        )
        with pytest.raises(ProvisionError, match="no"):
            await fleet.resume(KEPT)

    asyncio.run(main())
