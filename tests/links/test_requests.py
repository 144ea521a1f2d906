from __future__ import annotations

import pytest

from auniverse.links.requests import Requests, Wants

NEXT, FULL = b"next", b"full"


class Server:
    """What requests see of a connection."""

    def __init__(self) -> None:
        self.continuous: bool | None = None
        self.updating = False
        self.framebuffer = self
        self.said: list[str] = []

    def request_update(self, incremental: bool) -> None:
        self.said.append("new" if incremental else "all")

    def update_continuously(self) -> None:
        self.said.append("continuously")

    def update_message(self) -> bytes:
        return NEXT

    def allow_resizes(self) -> None:
        self.said.append("resizes")


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def requests(server: Server) -> Requests:
    requests = Requests(server)
    assert requests.due(Wants.NEWS) == b""  # there is no screen yet
    assert requests.due(Wants.EVERYTHING) == b""
    assert server.said == ["all"]
    server.said.clear()
    return requests


def test_every_update_calls_for_the_next(server: Server, requests: Requests) -> None:
    assert requests.due(Wants.NOTHING) == b""
    assert requests.due(Wants.NOTHING, 1) == NEXT
    assert requests.due(Wants.NOTHING, 3) == NEXT  # several in one piece: one request
    assert server.said == ["resizes"] * 2


def test_the_next_is_asked_for_while_one_comes_in_and_not_again_at_its_end(
    server: Server, requests: Requests
) -> None:
    server.updating = True
    assert requests.due(Wants.NOTHING) == NEXT
    assert requests.due(Wants.NOTHING) == b""
    server.updating = False
    assert requests.due(Wants.NOTHING, 1) == b""
    assert requests.due(Wants.NOTHING, 1) == NEXT


def test_more_ended_than_the_one_that_was_asked_for(server: Server, requests: Requests) -> None:
    server.updating = True
    assert requests.due(Wants.NOTHING) == NEXT
    server.updating = False
    assert requests.due(Wants.NOTHING, 2) == NEXT


def test_continuous_updates_need_no_requests(server: Server, requests: Requests) -> None:
    server.continuous = server.updating = True
    assert requests.due(Wants.NEWS) == b""
    assert requests.due(Wants.EVERYTHING) == b""
    assert server.said == ["all", "continuously"]
