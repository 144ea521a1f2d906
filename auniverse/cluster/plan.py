"""What a cluster shall be, checked against what the region has before anything is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from auniverse.errors import ProvisionError, UsageError

from .cloud import Cloud

AMAZON_LINUX = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
DEBIAN = "/aws/service/debian/release/12/latest/amd64"
#: What `--image` may say in a word.
IMAGES = {"amazon-linux": AMAZON_LINUX, "debian": DEBIAN}


@dataclass(frozen=True)
class Plan:
    """What a cluster shall be.

    Attributes:
        key: The name of the key pair that opens its nodes.
        workers: How many there shall be.
        instance_type: What they are.
        manager_type: What the manager is.
        image: The SSM parameter that holds the AMI, or a word of `IMAGES`.
        disk: GiB on each worker.
        manager_disk: GiB on the manager.
        spot: Whether workers are spot instances.
        ssh_cidr: From where nodes are reached by SSH.
        remotes_cidr: From where remotes are reached without it; "": from nowhere.
        vpc: The network; "": the region's default one.
        subnets: Of it; none: all that can hold such machines.
        ttl: Hours until everything ends by itself; None: never.
        tags: For all of it.
    """

    key: str
    workers: int = 2
    instance_type: str = "c6i.xlarge"
    manager_type: str = "t3.small"
    image: str = "amazon-linux"
    disk: int = 30
    manager_disk: int = 20
    spot: bool = False
    ssh_cidr: str = "0.0.0.0/0"
    remotes_cidr: str = ""
    vpc: str = ""
    subnets: Sequence[str] = ()
    ttl: float | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


async def check(cloud: Cloud, plan: Plan) -> None:
    """See whether the region has what a plan names, so that no stack fails half-way.

    Raises:
        UsageError: It has no such key pair, or no such machines.
        ProvisionError: AWS refuses.
    """
    pairs = (await cloud.call("ec2", "describe_key_pairs"))["KeyPairs"]
    names = sorted(pair["KeyName"] for pair in pairs)
    if plan.key not in names:
        raise UsageError(
            f"there is no key pair {plan.key!r} in {cloud.region}; there are: "
            f"{', '.join(names) or 'none'} (`aws ec2 create-key-pair` makes one; --key names it)"
        )
    await _zones(cloud, plan)


async def parameters(cloud: Cloud, plan: Plan, now: datetime) -> dict[str, str]:
    """Return the parameters of the stack for a plan.

    Args:
        cloud: Where it shall be.
        plan: What it shall be.
        now: From when `ttl` counts; with a time zone.

    Raises:
        ProvisionError: There is no network for it, or AWS refuses.
        UsageError: The region has no such machines.
    """
    vpc = plan.vpc or await _default_vpc(cloud)
    subnets = plan.subnets or await _subnets(cloud, vpc, await _zones(cloud, plan))
    return {
        "KeyName": plan.key,
        "VpcId": vpc,
        "SubnetIds": ",".join(subnets),
        "Workers": str(plan.workers),
        "InstanceType": plan.instance_type,
        "ManagerInstanceType": plan.manager_type,
        "Image": IMAGES.get(plan.image, plan.image),
        "DiskSize": str(plan.disk),
        "ManagerDiskSize": str(plan.manager_disk),
        "Spot": "yes" if plan.spot else "no",
        "SshCidr": plan.ssh_cidr,
        "RemotesCidr": plan.remotes_cidr,
        "Expires": expiry(plan.ttl, now),
    }


def expiry(ttl: float | None, now: datetime) -> str:
    """Return when so many hours from now are over, as the template wants it.

    Raises:
        UsageError: That is less than the ten minutes within which machines look.
    """
    if ttl is None:
        return "never"
    if not ttl * 60 >= 10:
        raise UsageError(f"--ttl {ttl:g}: hours, and at least ten minutes of them (0.17)")
    return (now + timedelta(hours=ttl)).strftime("%Y-%m-%dT%H:%M:%SZ")


async def _default_vpc(cloud: Cloud) -> str:
    found = await cloud.every(
        "ec2", "describe_vpcs", "Vpcs", Filters=[{"Name": "is-default", "Values": ["true"]}]
    )
    if not found:
        raise ProvisionError(
            f"{cloud.region} has no default network: --network makes one, --vpc names one"
        )
    return str(found[0]["VpcId"])


async def _zones(cloud: Cloud, plan: Plan) -> set[str]:
    """Return the zones that have both kinds of machines."""
    wanted = {plan.instance_type, plan.manager_type}
    offered: dict[str, set[str]] = {name: set() for name in wanted}
    for offer in await cloud.every(
        "ec2",
        "describe_instance_type_offerings",
        "InstanceTypeOfferings",
        LocationType="availability-zone",
        Filters=[{"Name": "instance-type", "Values": sorted(wanted)}],
    ):
        offered.setdefault(offer["InstanceType"], set()).add(offer["Location"])
    if missing := sorted(name for name in wanted if not offered[name]):
        raise UsageError(
            f"{cloud.region} has no machines of type {', '.join(missing)} (--instance-type)"
        )
    return set.intersection(*offered.values())


async def _subnets(cloud: Cloud, vpc: str, zones: set[str]) -> list[str]:
    found: list[dict[str, Any]] = await cloud.every(
        "ec2", "describe_subnets", "Subnets", Filters=[{"Name": "vpc-id", "Values": [vpc]}]
    )
    fitting = [
        subnet["SubnetId"]
        for subnet in sorted(found, key=lambda subnet: str(subnet["AvailabilityZone"]))
        if subnet.get("MapPublicIpOnLaunch") and subnet["AvailabilityZone"] in zones
    ]
    if not fitting:
        raise ProvisionError(
            f"{vpc} has no subnet that gives public addresses and can hold such machines: "
            "--subnets names some, --network makes some"
        )
    return fitting
