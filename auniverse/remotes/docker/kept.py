"""What an owner's containers are, seen from outside a launch: listed, and ended by hand."""

from __future__ import annotations

import asyncio
import os
from typing import NamedTuple
from urllib.parse import quote

from auniverse.address import Remote

from .again import Listed, list_own
from .container import Container
from .engine import Engine
from .network import remove_networks
from .owner import Owner, find_owner


class Kept(NamedTuple):
    """A container of ours.

    Attributes:
        name: The engine's name for it.
        runtime: What it runs.
        client_id: Whose remote it is.
        slot: Its number in the launch that made it, or "spare".
        state: "running", "paused", "created", ...
        status: The same in the engine's words, with how long.
        image: What it was made of.
        lease: Seconds without a client, after which it ends itself; "": never.
        in_use: Whether a client has it now.
        address: Where it is reached, without passwords; "" where it publishes nothing.
        url: The same with its passwords.
    """

    name: str
    runtime: str
    client_id: str
    slot: str
    state: str
    status: str
    image: str
    lease: str
    in_use: bool
    address: str
    url: str


async def list_kept(engine: Engine) -> list[Kept]:
    """Return all containers of this owner, the oldest first.

    Raises:
        ProvisionError: The engine refuses.
    """
    owner = find_owner(os.environ)
    return [_describe(engine, owner, listed) for listed in await list_own(engine, owner)]


async def end_kept(
    engine: Engine, *, runtime: str | None, client_id: str | None, force: bool
) -> list[str]:
    """End containers of this owner that nobody uses, and the network with the last of them.

    Args:
        engine: Where.
        runtime: Only those that run this; None: all.
        client_id: Only those of this client; None: all.
        force: Those that are in use, too.

    Returns:
        The names of those that were ended.

    Raises:
        ProvisionError: The engine refuses.
    """
    owner = find_owner(os.environ)
    ended: list[str] = []
    async with asyncio.TaskGroup() as group:
        for listed in await list_own(engine, owner):
            if runtime not in (None, listed.labels.get("runtime")):
                continue
            if client_id not in (None, listed.labels.get("client-id")):
                continue
            claim = owner.claim(listed.name)
            if claim is None and not force:
                continue
            ended.append(listed.name)
            group.create_task(Container(engine, listed.handle, listed.name, claim).remove())
    await remove_networks(engine, owner)
    return sorted(ended)


def _describe(engine: Engine, owner: Owner, listed: Listed) -> Kept:
    name, labels, seen = listed.name, listed.labels, listed.seen
    if claim := owner.claim(name):
        claim.release()
    ports = {str(port["PrivatePort"]): port.get("PublicPort") for port in seen["Ports"]}
    vnc, rewarder = (ports.get(labels.get(key, "")) for key in ("vnc-port", "rewarder-port"))
    address = url = ""
    if vnc and rewarder:
        passwords = owner.passwords(name)
        remote = Remote(engine.access.host, vnc, rewarder, route=engine.access.route)
        address = str(remote)
        secret = (
            f"vnc_password={quote(passwords.vnc)}&rewarder_password={quote(passwords.rewarder)}"
        )
        url = f"{address}{'&' if '?' in address else '?'}{secret}"
    return Kept(
        name=name,
        runtime=labels.get("runtime", ""),
        client_id=labels.get("client-id", ""),
        slot=labels.get("slot", ""),
        state=listed.state,
        status=seen["Status"],
        image=seen["Image"],
        lease=labels.get("lease", ""),
        in_use=claim is None,
        address=address,
        url=url,
    )
