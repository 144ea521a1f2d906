"""Certificates that follow from a seed, shown by servers and pinned by clients."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from auniverse.address import Remote, Route
from auniverse.errors import AuthenticationError
from auniverse.host import Certificate
from auniverse.links import open_rewarder, open_vnc
from auniverse.remotes.swarm.certificate import certificate_of
from tests.meter import meters

NAME, SEED = "auniverse-gym-core-0-12345678", bytes(range(32))
PIN = "sha256:1a4a963f34068989818825ad341ad0b3ddb43210cf0bc31eb0207ead01a8390d"


def test_the_same_seed_makes_the_same_certificate_for_ever() -> None:
    """Another process, or a later version, must come to the same pin."""
    certificate_of.cache_clear()
    made = certificate_of(NAME, SEED)
    certificate_of.cache_clear()
    assert certificate_of(NAME, SEED) == made
    assert made.pin == PIN
    others = {certificate_of("another", SEED).pin, certificate_of(NAME, SEED[::-1]).pin}
    assert len(others | {PIN}) == 3


def test_it_is_shown_from_the_file_with_the_passwords_and_is_pinned(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text('{"vnc_password": "a", "rewarder_password": "b"}\n')
    with secret.open("a") as file:
        file.write(certificate_of(NAME, SEED).pem)
    shown = Certificate.load(str(secret), str(secret))
    assert shown.pin == PIN

    async def open_both(remote: Remote) -> None:
        await (await open_vnc(remote)).close()
        rewarder = await open_rewarder(remote)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(rewarder.run())
            await rewarder.wait_described()
            await rewarder.close()

    async def main() -> None:
        async with meters(1, certificate=shown) as hosts:
            remote = hosts[0].remote
            await open_both(replace(remote, route=Route(security=("x509vnc",), pin=PIN)))
            other = Route(security=("x509vnc",), pin=certificate_of("another", SEED).pin)
            for opening in (open_vnc, open_rewarder):
                with pytest.raises(AuthenticationError, match="not the one that was pinned"):
                    await opening(replace(remote, route=other))

    asyncio.run(main())
