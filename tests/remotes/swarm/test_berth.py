from __future__ import annotations

import asyncio

import pytest

from auniverse.errors import ProvisionError, UsageError
from auniverse.remotes import Fleet, launch
from tests.swarm_nodes import Machines

from .conftest import until

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("docker")]


def own(swarm: Machines) -> list[tuple[int, str]]:
    """The containers of all machines, with the machine's number."""
    return [
        (number, container)
        for number, machine in enumerate(swarm)
        for container in machine.docker("ps", "--quiet").split()
    ]


async def death(fleet: Fleet) -> None:
    """Wait until the swarm knows of its end."""
    async with asyncio.timeout(30):
        while fleet.alive(fleet[0]):
            await fleet.refresh(fleet[0])


def test_one_that_ends_hangs_or_is_taken_away(swarm: Machines) -> None:
    async def main() -> None:
        async with launch("gym-core", 1, backend="swarm", screen="96x64") as fleet:
            first = fleet[0]
            assert (fleet.alive(first), fleet.cause_of_death(first)) == (True, "")
            with pytest.raises(UsageError, match="a swarm cannot let one stand still"):
                await fleet.pause(first)
            await fleet.resume(first)

            # It ended: the swarm runs another, and that is given out.
            ((machine, container),) = own(swarm)
            swarm[machine].docker("kill", container)
            await death(fleet)
            assert fleet.cause_of_death(first) == f"killed by signal 9 on n{machine + 1}"
            assert "serving" in fleet.log_tail(first)
            second = await fleet.replace(first)
            assert fleet == [second]
            assert fleet.alive(second)
            assert second.vnc_password == first.vnc_password

            # It hangs: nobody but us knows.
            ((machine, container),) = own(swarm)
            swarm[machine].docker("pause", container)
            third = await fleet.replace(second)
            assert (fleet, fleet.alive(third)) == ([third], True)

            # It ended as if it were done, so the swarm leaves it at that.
            ((machine, container),) = own(swarm)
            swarm[machine].docker("stop", container)
            await death(fleet)
            assert fleet.alive(await fleet.replace(third))

            (service,) = swarm[0].docker("service", "ls", "--quiet").split()
            swarm[0].docker("service", "rm", service)
            await until(lambda: not own(swarm))
            with pytest.raises(ProvisionError, match="gym-core-0: somebody removed its service"):
                await fleet.replace(fleet[0])

    swarm.inside(main())
