"""The resets that wait for their reply, and which of them ask for the same."""

from __future__ import annotations

from .peer import Peer, ResetRequest
from .values import episode_number


class Resets:
    """A server's resets under way.

    A reset that asks for nothing new joins the one that is under way, and shares its reply, instead
    of restarting the program that is just starting.
    """

    def __init__(self) -> None:
        self._waiting: dict[ResetRequest, list[ResetRequest]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()), len(self._waiting))

    @property
    def newest_named(self) -> int:
        """Number of the newest episode that one of them named, -1 if none did."""
        return max((episode_number(one.episode_id) for one in self._waiting), default=-1)

    def add(self, request: ResetRequest, current: int) -> bool:
        """Keep a request until its reply; returns whether it asks for something new.

        Args:
            request: The request.
            current: Number of the current episode.
        """
        for first, others in self._waiting.items():
            known = max(current - 1, episode_number(first.episode_id))
            if _wish(request) == _wish(first) and episode_number(request.episode_id) <= known:
                others.append(request)
                return False
        self._waiting[request] = []
        return True

    def take(self, request: ResetRequest) -> tuple[ResetRequest, ...]:
        """Forget a request that is being answered; returns it and those that joined it."""
        return (request, *self._waiting.pop(request, ()))

    def drop(self, peer: Peer) -> None:
        """Forget the requests of a peer that is gone."""
        for request in [one for one in self._waiting if one.peer is peer]:
            del self._waiting[request]


def _wish(request: ResetRequest) -> tuple[object, ...]:
    return request.peer, request.env_id, request.fps, request.seed, request.lockstep
