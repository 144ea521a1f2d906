"""Commands that an SSH server runs, each of which is a socket here: its stdin and its stdout."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from auniverse.address import Route

from .ssh import Jump
from .tunnel import carried


class Commands:
    """An SSH connection for commands alone, as a context manager, which closes it.

    A server runs only a few commands at a time over one connection (OpenSSH: 10), so that whoever
    needs several of them has a connection of their own.

    Args:
        route: Holds the server, and what is trusted.
    """

    def __init__(self, route: Route) -> None:
        self._jump = Jump(route)

    async def __aenter__(self) -> Self:
        """Connect to nobody yet: the first command does."""
        self._jump.users += 1  # so that it stays between two commands
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connection, and with it what still runs."""
        await self._jump.close()

    async def run(self, line: str) -> dict[str, Any]:
        """Have a command run; return what `create_connection` needs to reach it.

        What it says to stderr is lost.

        Raises:
            AuthenticationError: The server's key is unknown or another one, or it refuses ours.
            ConnectError: It does not answer, or runs no commands for us.
            MissingDependencyError: asyncssh is not installed.
            OSError: Nobody answers there.
        """
        return {"sock": await carried(await self._jump.command(line))}
