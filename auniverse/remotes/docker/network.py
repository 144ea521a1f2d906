"""The network that an owner's containers are on."""

from __future__ import annotations

from contextlib import suppress

import aiodocker

from .engine import Engine, speaking
from .owner import Owner
from .recipe import PREFIX

#: How the names of our networks begin.
NETWORK = "auniverse-"


async def provide_network(engine: Engine, owner: Owner, *, egress: bool) -> str:
    """Return the network for an owner's containers; it is made where it is not there yet.

    Containers on it cannot reach each other. Without egress nothing that they send is masqueraded,
    so that nobody outside this machine answers.

    Raises:
        ProvisionError: The engine refuses.
    """
    name = f"{NETWORK}{owner.name}" + ("-egress" if egress else "")
    options = {
        "com.docker.network.bridge.enable_icc": "false",
        "com.docker.network.bridge.enable_ip_masquerade": str(egress).lower(),
    }
    config = {
        "Name": name,
        "CheckDuplicate": True,
        "Driver": "bridge",
        "Options": options,
        "Labels": {f"{PREFIX}owner": owner.name},
    }
    with speaking(f"cannot make the network {name}"):
        try:
            await engine.docker.networks.get(name)
        except aiodocker.DockerError as missing:
            if missing.status != 404:
                raise
            try:
                await engine.docker.networks.create(config)
            except aiodocker.DockerError as error:
                if error.status != 409:  # another process was faster
                    raise
    return name


async def remove_networks(engine: Engine, owner: Owner) -> None:
    """Take away an owner's networks that no container is on; whoever needs one makes it again.

    Raises:
        ProvisionError: The engine cannot be spoken to.
    """
    with speaking("cannot list networks"):
        found = await engine.docker.networks.list(filters={"label": f"{PREFIX}owner={owner.name}"})
        for network in found:
            with suppress(aiodocker.DockerError):  # somebody is on it
                await (await engine.docker.networks.get(network["Id"])).delete()
