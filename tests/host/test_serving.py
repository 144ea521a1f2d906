from __future__ import annotations

import asyncio

import pytest

from auniverse.errors import MissingDependencyError, UnknownEnvError, UnknownRuntimeError
from auniverse.host import serve
from auniverse.host.serving import _HOSTS
from auniverse.runtimes import HOSTS, runtimes


def test_serve_says_where_and_serves_until_cancelled():
    async def main():
        told = asyncio.get_running_loop().create_future()
        serving = asyncio.create_task(
            serve(
                "gym-core",
                env_id="gym-core.FrozenLake-v1",
                vnc_port=0,
                rewarder_port=0,
                password="secret12",
                ready=told.set_result,
            )
        )
        remote = await told
        assert (remote.vnc_password, remote.rewarder_password) == ("secret12", "secret12")
        assert "secret12" not in str(remote)
        reader, writer = await asyncio.open_connection(remote.host, remote.vnc_port)
        assert await reader.readexactly(12) == b"RFB 003.008\n"
        serving.cancel()
        assert await reader.read() == b""
        writer.close()
        with pytest.raises(asyncio.CancelledError):
            await serving

    asyncio.run(main())


def test_the_catalogue_knows_what_can_be_hosted():
    assert set(_HOSTS) == HOSTS
    assert {runtime.host for runtime in runtimes() if runtime.kind != "manual"} == HOSTS


def test_serve_returns_when_the_lease_is_over():
    asyncio.run(serve("gym-core", vnc_port=0, rewarder_port=0, lease=0.01))


def test_unknown_runtimes_and_environments():
    with pytest.raises(UnknownRuntimeError, match="there are: gym-core"):
        asyncio.run(serve("quake"))
    with pytest.raises(UnknownEnvError):
        asyncio.run(serve("gym-core", env_id="gym-core.Quake-v0"))


def test_a_missing_package_is_named(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "auniverse.host.gym_core", None)
    with pytest.raises(MissingDependencyError, match=r"auniverse\[gym-core\]"):
        asyncio.run(serve("gym-core"))
