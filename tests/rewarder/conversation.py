"""A server's core and a client's core, with nothing in between."""

from __future__ import annotations

from typing import Any

from auniverse.rewarder import Connection, Request, Server

from .examples import DUSK


class Pair:
    """A client and its peer, and a wire that carries everything at once."""

    def __init__(self, server: Server, now: float = 0.0, **how: Any) -> None:
        self.server = server
        self.client = Connection(**how)
        self.peer = server.connect(self.client.upgrade_headers(), now)
        self.seen: list[str] = []

    def to_server(self, now: float) -> list[Request]:
        requests: list[Request] = []
        for text in self.client.data_to_send():
            requests += self.server.receive_text(self.peer, text, now)
        return requests

    def to_client(self, now: float) -> list[Any]:
        for text in self.peer.data_to_send():
            self.seen.append(text)
            self.client.receive_text(text, now)
        return self.client.events()

    def reset(self, now: float = 1.0, **how: Any) -> list[Request]:
        self.client.send_reset(**({"env_id": DUSK, "seed": None, "fps": 60, "now": now} | how))
        return self.to_server(now)


def server(**how: Any) -> Server:
    return Server(**({"password": "openai", "env_id": DUSK, "fps": 60.0} | how))


def one(requests: list[Request]) -> Any:
    [request] = requests
    return request
