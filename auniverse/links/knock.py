"""How far away a remote is: the seconds until its screen's server has said its first words."""

from __future__ import annotations

import asyncio

from auniverse.address import Remote
from auniverse.errors import ConnectError, RemoteTimeoutError

from .tunnel import dial

#: What an RFB server says first begins so (RFC 6143 §7.1.1).
_GREETING = b"RFB "


async def knock(remote: Remote, *, timeout: float = 10.0) -> float:
    """Connect to a screen, wait for its greeting, leave; return the seconds that took.

    That is the way of a new connection, through whatever the remote's route goes. Where both ports
    speak TLS from the first byte nothing can be heard without it: such remotes are refused.

    Raises:
        RemoteError: It is not reached, or says something else.
    """
    if remote.vnc_port is None or remote.route.scheme == "vnc+tls":
        raise ConnectError("there is no greeting to be heard", remote=str(remote))
    loop = asyncio.get_running_loop()
    begun = loop.time()
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection(
                **await dial(remote, remote.vnc_port, screen=True)
            )
            try:
                greeting = await reader.readexactly(len(_GREETING))
            finally:
                writer.close()
    except TimeoutError as error:
        raise RemoteTimeoutError(
            f"no greeting in {timeout:g} s", remote=str(remote), remedy="is the port open?"
        ) from error
    except (OSError, EOFError) as error:
        raise ConnectError(f"no greeting: {error}", remote=str(remote)) from error
    if greeting != _GREETING:
        raise ConnectError("what answers is no screen", remote=str(remote))
    return loop.time() - begun
