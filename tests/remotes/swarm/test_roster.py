from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from auniverse.errors import RemoteNotReadyError
from auniverse.remotes import launch
from tests.swarm_nodes import Machines

from .conftest import until

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("docker")]


def services(swarm: Machines) -> list[str]:
    return swarm[0].docker("service", "ls", "--quiet").split()


def test_a_launch_that_is_cancelled_or_late_leaves_nothing(swarm: Machines) -> None:
    async def main() -> None:
        async def hold() -> None:
            async with launch("gym-core", 4, backend="swarm", screen="96x64"):
                raise AssertionError("it was cancelled")

        holding = asyncio.create_task(hold())
        await until(lambda: bool(services(swarm)))
        holding.cancel()
        with pytest.raises(asyncio.CancelledError):
            await holding
        assert services(swarm) == []
        with pytest.raises(RemoteNotReadyError, match=r"of 1 placed.*not ready after 0\.01 s"):
            async with launch("gym-core", 1, backend="swarm", screen="96x64", timeout=0.01):
                pass
        assert services(swarm) == []

    swarm.inside(main())


CLIENT = """
import asyncio
from auniverse.remotes import launch
async def main():
    async with launch("gym-core", 1, backend="swarm", screen="96x64", lease=1):
        print("up", flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


def test_what_a_killed_client_leaves_is_swept_up(swarm: Machines) -> None:
    command = [*swarm.entering, sys.executable, "-c", CLIENT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=dict(os.environ)) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == b"up\n"
        client.send_signal(signal.SIGKILL)
    (left,) = services(swarm)

    async def main() -> None:
        # The manager hears of it a little later than its node.
        ended = ("service", "ps", "--format", "{{.CurrentState}}", left)
        await until(lambda: swarm[0].docker(*ended).startswith("Complete"))
        async with launch("gym-core", 1, backend="swarm", screen="96x64"):
            assert len(services(swarm)) == 1
            assert left not in services(swarm)

    swarm.inside(main())
