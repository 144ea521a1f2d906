"""Whether a remote is ready: it shakes hands, has drawn its screen, and says what it runs."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace

from auniverse.address import Remote
from auniverse.errors import (
    AuthenticationError,
    RemoteError,
    RemoteNotReadyError,
    RemoteTimeoutError,
)
from auniverse.links import open_rewarder, open_vnc

#: Seconds between two looks; the last repeats. Looking costs little, and a boot is short.
_PAUSES = (0.02, 0.02, 0.05, 0.05, 0.1, 0.1, 0.2)
#: The same where news are told: a look takes milliseconds that many that boot at once do not have.
_PAUSES_BETWEEN_NEWS = (0.1, 0.2, 0.4, 0.8)
#: Seconds for one look: what accepts connections before it can answer is asked anew.
_LOOK = 5.0


async def wait_ready(remote: Remote, timeout: float, news: asyncio.Event | None = None) -> None:
    """Wait until a remote that boots can be played.

    Ports that refuse, connections that end early and gateways that know nobody yet (502) belong to
    booting. Both channels are looked at: the RFB handshake and the first full frame, and the first
    `v0.env.describe`.

    Args:
        remote: What is looked at.
        timeout: Seconds that it may take.
        news: Set by others whenever it may have got further, and cleared here: then it is looked
            at at once.

    Raises:
        AuthenticationError: It is ready for others.
        RemoteNotReadyError: It was not ready within `timeout` seconds; the message says what it
            still lacked.
    """
    lacks = "it was not looked at"
    pauses = _PAUSES if news is None else _PAUSES_BETWEEN_NEWS
    try:
        async with asyncio.timeout(timeout):
            attempt = 0
            while True:
                try:
                    await asyncio.gather(_see_screen(remote), _hear_rewarder(remote))
                    return
                except AuthenticationError:
                    raise
                except RemoteError as error:
                    lacks = error.reason
                await _rest(pauses[min(attempt, len(pauses) - 1)], news)
                attempt += 1
    except TimeoutError:
        raise RemoteNotReadyError(
            f"{remote.name or remote} was not ready after {timeout:g} s: {lacks}"
        ) from None


async def _rest(seconds: float, news: asyncio.Event | None) -> None:
    if news is None:
        await asyncio.sleep(seconds)
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await news.wait()
    news.clear()


async def _see_screen(remote: Remote) -> None:
    """Look for one full frame; RemoteError: it is not there yet."""
    if remote.vnc_port is None:
        return
    arrived = asyncio.Event()
    link = await open_vnc(remote, timeout=_LOOK, wake=arrived.set)
    try:
        async with asyncio.timeout(_LOOK):
            while not link.refreshed:
                if link.fault is not None:
                    raise link.fault
                arrived.clear()
                await arrived.wait()
    except TimeoutError:
        raise RemoteTimeoutError("its screen stays unpainted") from None
    finally:
        await link.close()


async def _hear_rewarder(remote: Remote) -> None:
    """Listen for the first describe; RemoteError: it is not there yet."""
    if remote.rewarder_port is None:
        return
    link = await open_rewarder(replace(remote, vnc_port=None), timeout=_LOOK, observer=True)
    running = asyncio.create_task(link.run())
    try:
        async with asyncio.timeout(_LOOK):
            await link.wait_described()
        if link.fault is not None:
            raise link.fault
    except TimeoutError:
        raise RemoteTimeoutError("its rewarder does not describe itself") from None
    finally:
        await link.close()
        await running
