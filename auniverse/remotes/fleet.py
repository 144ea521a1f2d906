"""The remotes of one launch, and how each is doing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from auniverse.address import Remote


class Keeper(Protocol):
    """Whoever keeps one remote running."""

    @property
    def alive(self) -> bool:
        """Whether it still runs."""

    @property
    def log_tail(self) -> str:
        """The last lines of its log."""


class Fleet(list[Remote]):
    """A list of remotes that also knows what this machine knows about them.

    Args:
        remotes: The remotes, in order.
        keepers: Who keeps them running, by `Remote.name`; empty for remotes that were given by
            address, of which nothing more is known.
    """

    def __init__(
        self, remotes: Iterable[Remote], keepers: Mapping[str, Keeper] | None = None
    ) -> None:
        super().__init__(remotes)
        self._keepers = dict(keepers or {})

    def alive(self, remote: Remote) -> bool | None:
        """Return whether the remote still runs; None: nobody here knows."""
        keeper = self._keepers.get(remote.name)
        return keeper.alive if keeper else None

    def log_tail(self, remote: Remote) -> str:
        """Return the last lines of the remote's log, "" if nobody here has it."""
        keeper = self._keepers.get(remote.name)
        return keeper.log_tail if keeper else ""
