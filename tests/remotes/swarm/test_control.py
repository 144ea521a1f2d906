from __future__ import annotations

import pytest

from auniverse.errors import ProvisionError, UnknownRuntimeError, UsageError
from auniverse.remotes.swarm import Status, image_of, open_manager, scale, start, status, stop
from tests.swarm_nodes import Machines

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("docker")]


def test_what_a_command_line_asks_for(
    swarm: Machines, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        told: list[tuple[str, str]] = []
        async with open_manager() as manager:
            started = await start(
                manager, "gym-core", 2, screen="96x64", progress=lambda *news: told.append(news)
            )
            assert [remote.name for remote in started] == ["gym-core-0", "gym-core-1"]
            states = [state for name, state in told if name == "gym-core-0"]
            assert (states[0], states[-2:]) == ("creating", ["running", "ready"])

            more = await scale(manager, "gym-core", 3)
            assert more[:2] == started
            seen = await status(manager)
            assert [node.name for node in seen.nodes] == ["n1", "n2", "n3"]
            assert [one.remote for one in seen.remotes] == more
            assert {one.state for one in seen.remotes} == {"running"}
            assert {one.node for one in seen.remotes} == {"n1", "n2", "n3"}

            assert await image_of(manager, "gym-core") == "auniverse/gym-core:1"
            assert await image_of(manager, "world-of-bits") is None
            assert await scale(manager, "gym-core", 1) == more[:1]
            again = await start(manager, "gym-core", 1, screen="96x64")
            assert again[0].vnc_password != more[0].vnc_password

            monkeypatch.setenv("XDG_STATE_HOME", f"{tmp_path}/other")
            async with open_manager() as other:
                (foreign,) = (await status(other)).remotes
                assert (foreign.state, foreign.remote) == ("running", None)
                assert await stop(other) == 0
            assert await stop(manager, client_id="nobody") == 0
            assert await stop(manager, runtime="world-of-bits") == 0
            assert await stop(manager) == 1
            assert await status(manager) == Status(seen.nodes, [])

    swarm.inside(main())


def test_what_cannot_be(swarm: Machines) -> None:
    async def main() -> None:
        async with open_manager() as manager:
            with pytest.raises(UnknownRuntimeError):
                await start(manager, "nothing", 1)
            with pytest.raises(UsageError, match="1 or more, not 0"):
                await scale(manager, "gym-core", 0)
            with pytest.raises(ProvisionError) as caught:
                await start(manager, "gym-core", 2, docker_image="auniverse/none:3")
            assert "0 of 2 placed; 2 rejected: n" in str(caught.value)
            assert "no image auniverse/none:3; load it " in str(caught.value)
            with pytest.raises(ProvisionError, match="constraints not satisfied on 3 nodes"):
                await start(manager, "gym-core", 1, constraints=["node.hostname==n9"])
            assert (await status(manager)).remotes == []

    swarm.inside(main())
