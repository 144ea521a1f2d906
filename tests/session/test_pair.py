"""Two links are opened, tried again and closed as one."""

import asyncio
import math
from contextlib import AsyncExitStack

import pytest

from auniverse.address import Remote
from auniverse.errors import AuthenticationError, ConnectError, RemoteTimeoutError
from auniverse.rfb import DEFAULT_ENCODINGS, allocate_pixels
from auniverse.session.pair import Pair
from tests.meter import meters
from tests.scripted import BANNER, says
from tests.tigervnc import free_port


def pair(remote):
    return Pair(
        remote,
        encodings=DEFAULT_ENCODINGS,
        observer=False,
        silence=None,
        excused=lambda: False,
        allocate=allocate_pixels,
        receive=lambda event: None,
        on_pixels=lambda: None,
        wake=lambda: None,
    )


def test_opens_both_and_leaves_nothing():
    async def main():
        async with meters(1) as hosts:
            links = pair(hosts[0].remote)
            await links.open(5.0)
            assert links.vnc.size == (32, 24)
            assert links.described.env_state == "running"
            assert links.v1.width == 32
            assert links.fault is None
            assert abs(links.skew) < 1
            await links.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def test_a_remote_that_still_boots_is_waited_for():
    async def main():
        ports = {"vnc_port": free_port(), "rewarder_port": free_port()}
        links = pair(Remote("127.0.0.1", *ports.values(), "secret12", "secret12"))
        opening = asyncio.create_task(links.open(20.0))
        async with AsyncExitStack() as stack:
            await asyncio.sleep(0)
            await stack.enter_async_context(meters(1, **ports))
            await opening
            await links.close()

    asyncio.run(main())


def test_one_bad_link_closes_the_good_one():
    async def main():
        async with meters(1) as hosts:
            remote = hosts[0].remote
            bad = Remote(remote.host, remote.vnc_port, remote.rewarder_port, "guessed1", "secret12")
            with pytest.raises(AuthenticationError):
                await pair(bad).open(5.0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def test_a_stall_ends_in_time():
    async def main():
        async with says() as port:
            for remote in (Remote("127.0.0.1", port, None), Remote("127.0.0.1", None, port)):
                with pytest.raises(RemoteTimeoutError, match=str(port)):
                    await pair(remote).open(0.2)
        with pytest.raises(ConnectError, match=str(port)):
            await pair(Remote("127.0.0.1", port, port)).open(0.2)

    asyncio.run(main())


def test_what_is_no_rewarder_is_no_rewarder_for_ever():
    async def main():
        async with says(BANNER, then="close") as port:
            with pytest.raises(ConnectError, match="rewarder"):
                await pair(Remote("127.0.0.1", None, port)).open(0.2)

    asyncio.run(main())


def test_what_is_not_measured_is_not_a_number():
    lags = pair(Remote("h", 1, None)).lags(math.nan, None, 0.0)
    assert all(math.isnan(value) for value in lags)
