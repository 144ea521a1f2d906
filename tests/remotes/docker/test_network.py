from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import aiodocker
import pytest

from auniverse.errors import ProvisionError
from auniverse.remotes.docker.network import provide_network

OWNER: Any = SimpleNamespace(name="me")


class Networks:
    def __init__(self, there: bool, refusal: int) -> None:
        self.there, self.refusal = there, refusal
        self.made: list[dict[str, Any]] = []

    async def get(self, name: str) -> None:
        if not self.there:
            raise aiodocker.DockerError(404, "no such network")

    async def create(self, config: dict[str, Any]) -> None:
        self.made.append(config)
        if self.refusal:
            raise aiodocker.DockerError(self.refusal, "refused")


def provide(networks: Networks, egress: bool = False) -> str:
    engine: Any = SimpleNamespace(docker=SimpleNamespace(networks=networks))
    return asyncio.run(provide_network(engine, OWNER, egress=egress))


def test_it_is_made_once() -> None:
    there = Networks(True, 0)
    assert provide(there) == "auniverse-me"
    assert there.made == []
    assert provide(Networks(False, 409)) == "auniverse-me"  # another process was faster
    with pytest.raises(ProvisionError, match="cannot make the network auniverse-me: refused"):
        provide(Networks(False, 403))


@pytest.mark.parametrize(
    ("egress", "name", "masquerade"),
    [(False, "auniverse-me", "false"), (True, "auniverse-me-egress", "true")],
)
def test_only_with_egress_somebody_outside_answers(
    egress: bool, name: str, masquerade: str
) -> None:
    networks = Networks(False, 0)
    assert provide(networks, egress) == name
    (config,) = networks.made
    options = {key.rpartition(".")[2]: value for key, value in config["Options"].items()}
    assert options == {"enable_icc": "false", "enable_ip_masquerade": masquerade}
    assert config["Labels"] == {"auniverse.owner": "me"}
