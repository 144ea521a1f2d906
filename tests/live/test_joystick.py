"""A joystick, from an agent's numbers to a host's ears: Universe's `v0.agent.action`."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from auniverse.env.description import describe
from auniverse.errors import UsageError
from auniverse.host.live_host import LiveHost
from auniverse.host.program import Metadata, Report
from auniverse.remotes import launch
from auniverse.rewarder import ActionRequest
from auniverse.runtimes import env
from auniverse.session import Session
from auniverse.spaces import Held, choose_preset

ENV_ID = "gtav.SaneDriving-v0"


class Car:
    """What would run on a machine with Windows."""

    async def load(self, env_id, desktop, report: Report) -> Metadata:
        return Metadata(env_id, 60.0, *desktop.size, (), "hold", (), False, False)

    async def reset(self, seed: int | None) -> str | None:
        return None

    async def close(self) -> None:
        pass


@pytest.mark.apt
def test_axes_arrive_at_the_host() -> None:
    controls = describe(env(ENV_ID), (64, 64), lambda: pytest.fail("all is known")).controls
    preset = choose_preset("default", controls)
    assert preset.space.shape == (2,)
    action = preset.events(np.array([0.25, -2.0], np.float32), Held())

    async def main() -> None:
        moved: asyncio.Queue[ActionRequest] = asyncio.Queue()

        class Host(LiveHost):
            def _asked(self, request) -> None:
                if isinstance(request, ActionRequest):
                    moved.put_nowait(request)
                else:
                    super()._asked(request)

        async with Host(Car(), env_id=ENV_ID, screen="64x64", password="secret12") as host:
            running = asyncio.create_task(host.run())
            async with Session(host.remote, env_id=ENV_ID) as session, asyncio.timeout(20):
                await session.reset()
                await session.step(action)
                request = await moved.get()
                assert request.env_id == ENV_ID
                assert request.action == (
                    ("JoystickAxisXEvent", 0.25),
                    ("JoystickAxisZEvent", -1.0),
                )
            running.cancel()
            await asyncio.wait((running,))

    asyncio.run(main())


@pytest.mark.parametrize(
    "env_id", [ENV_ID, "starcraft.TerranAstralBalance-v0", "world.WorldOfGoo-v0"]
)
def test_what_nothing_here_can_start_says_how_to_reach_it(env_id: str) -> None:
    complaint = rf"nothing here can start {env_id}.*remotes='vnc://host:5900\+15900"
    with pytest.raises(UsageError, match=complaint):
        launch(env(env_id).runtime, 1, env_id=env_id)
