"""Ways to a swarm; the walk itself is in test_play."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from auniverse.cluster import Cloud, Gate, Machine, Plan, Refused, Trust, bring_up, gate_of, gate_to
from auniverse.errors import AddressError, AuthenticationError

from ..aws import KEY
from .test_hostkeys import CONSOLE, GOOD

HOSTKEY = "SHA256:" + "a" * 43


def test_a_swarm_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    gate = gate_to("me@[::1]:2222", identity="key.pem", hostkey=HOSTKEY, trust=Trust())
    assert (gate.route.jump, gate.route.user) == ("[::1]:2222", "me")
    assert gate.route.identity == str(tmp_path / "key.pem"), "the line works from elsewhere, too"
    assert gate.route.hostkey == HOSTKEY
    assert gate_to("host", trust=Trust()).route.jump == "host:22"
    for wrong in ("", "me@host:99999", "me:secret@host"):
        with pytest.raises(AddressError):
            gate_to(wrong, trust=Trust())


@pytest.mark.xdist_group("aws")
@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("nitro", [True, False])
def test_a_stacks_manager_is_vouched_for_by_its_console(
    nitro: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []

    class Shown(Cloud):
        """AWS, whose consoles show keys; moto's show none."""

        async def call(self, service: str, operation: str, **arguments: Any) -> dict[str, Any]:
            if operation != "get_console_output":
                return await super().call(service, operation, **arguments)
            asked.append(arguments)
            if "Latest" in arguments and not nitro:
                raise Refused("AWS refuses", "UnsupportedOperation", "not for this type")
            return {"Output": CONSOLE.replace(GOOD, HOSTKEY)}

    async def shown(host: str, port: int) -> str:
        return HOSTKEY

    monkeypatch.setattr("auniverse.cluster.hostkeys.fetch_host_key", shown)

    async def main() -> None:
        now = datetime(2026, 11, 22, tzinfo=UTC)
        plan = Plan(KEY, workers=1)
        stack = await bring_up(Shown(), "demo", plan, now, lambda name, state: None)
        gate = await gate_of(Shown(), stack, identity="k.pem", trust=Trust())
        assert gate.route.hostkey == HOSTKEY
        assert {one["InstanceId"] for one in asked} == {gate.machines[0].id}
        assert len(asked) == (1 if nitro else 2)

    asyncio.run(main())


def test_addresses_of_machines() -> None:
    launched = datetime(2026, 11, 22, tzinfo=UTC)
    machine = Machine(
        "i-1", "worker", "c6i.xlarge", "running", False, "10.0.0.1", "192.0.2.1", launched, 30
    )
    gate = Gate(gate_to("host", trust=Trust()).route, Trust(), machines=(machine,))
    assert gate.public_of("10.0.0.1") == "192.0.2.1"
    assert gate.public_of("10.0.0.2") == ""
    assert gate.machine_of("10.0.0.1") is machine
    assert gate.machine_of("10.0.0.2") is None


@pytest.mark.xdist_group("aws")
@pytest.mark.usefixtures("aws")
def test_a_stacks_manager_must_be_vouched_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto's consoles show no host keys: somebody has to be asked."""

    async def shown(host: str, port: int) -> str:
        return HOSTKEY

    monkeypatch.setattr("auniverse.cluster.hostkeys.fetch_host_key", shown)

    async def main() -> None:
        cloud = Cloud()
        plan = Plan(KEY, workers=1)
        now = datetime(2026, 11, 22, tzinfo=UTC)
        stack = await bring_up(cloud, "demo", plan, now, lambda name, state: None)
        with pytest.raises(AuthenticationError, match=f"is not trusted: {HOSTKEY}"):
            await gate_of(cloud, stack, identity="k.pem", trust=Trust())
        asked: list[str] = []
        trust = Trust(ask=lambda text: bool(asked.append(text)) or True)
        gate = await gate_of(cloud, stack, identity="k.pem", trust=trust)
        assert len(asked) == 1
        assert (gate.route.user, gate.route.hostkey) == ("ec2-user", HOSTKEY)
        manager = gate.machines[0]
        assert gate.route.jump == f"{manager.public}:22"
        debian = replace(stack, parameters={"Image": "/aws/service/debian/release/12/latest/amd64"})
        gate = await gate_of(cloud, debian, identity="k.pem", trust=Trust())
        assert gate.route.user == "admin", "and nobody is asked again"
        given = "SHA256:" + "b" * 43
        gate = await gate_of(cloud, stack, identity="", user="me", hostkey=given, trust=Trust())
        assert (gate.route.user, gate.route.hostkey) == ("me", given)

    asyncio.run(main())
