"""The machines of a stack."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from auniverse.errors import ProvisionError

from .cloud import Cloud
from .stack import Stack

#: States in which a machine is there and is paid for.
_LIVE = ("pending", "running")
#: What the machines of the template's groups are.
_ROLES = {"ManagerGroup": "manager", "WorkerGroup": "worker"}


class Machine(NamedTuple):
    """A machine of a stack.

    Attributes:
        id: AWS's name for it.
        role: "manager" or "worker".
        type: Such as "c6i.xlarge".
        state: "pending", "running", "stopping", ...
        spot: Whether it is a spot instance.
        private: Its address among the nodes; "" while it has none.
        public: Its address elsewhere; "": it has none.
        launched: When.
        disk: GiB, as the stack says.
    """

    id: str
    role: str
    type: str
    state: str
    spot: bool
    private: str
    public: str
    launched: datetime
    disk: int

    @property
    def is_live(self) -> bool:
        """Whether it is there, or comes."""
        return self.state in _LIVE


async def machines(cloud: Cloud, stack: Stack) -> list[Machine]:
    """Return the machines of a stack, the manager first, then the workers from the oldest on.

    Raises:
        ProvisionError: AWS refuses.
    """
    groups = {
        resource["PhysicalResourceId"]: _ROLES[resource["LogicalResourceId"]]
        for resource in await cloud.every(
            "cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=stack.id
        )
        if resource["LogicalResourceId"] in _ROLES and resource.get("PhysicalResourceId")
    }
    if not groups:
        return []
    seen = await cloud.every(
        "autoscaling",
        "describe_auto_scaling_groups",
        "AutoScalingGroups",
        AutoScalingGroupNames=sorted(groups),
    )
    roles = {
        instance["InstanceId"]: groups[group["AutoScalingGroupName"]]
        for group in seen
        for instance in group["Instances"]
    }
    if not roles:
        return []
    reservations = await cloud.every(
        "ec2",
        "describe_instances",
        "Reservations",
        Filters=[{"Name": "instance-id", "Values": sorted(roles)}],
    )
    disks = {
        "manager": int(stack.parameters.get("ManagerDiskSize", 0)),
        "worker": int(stack.parameters.get("DiskSize", 0)),
    }
    found = [
        _read(instance, roles[instance["InstanceId"]], disks)
        for reservation in reservations
        for instance in reservation["Instances"]
    ]
    return sorted(found, key=lambda machine: (machine.role, machine.launched, machine.id))


def _read(seen: dict[str, Any], role: str, disks: dict[str, int]) -> Machine:
    return Machine(
        id=seen["InstanceId"],
        role=role,
        type=seen["InstanceType"],
        state=seen["State"]["Name"],
        spot=seen.get("InstanceLifecycle") == "spot",
        private=seen.get("PrivateIpAddress", ""),
        public=seen.get("PublicIpAddress", ""),
        launched=seen["LaunchTime"],
        disk=disks[role],
    )


def manager_of(found: Iterable[Machine], stack: Stack) -> Machine:
    """Return the manager among the machines of a stack.

    Raises:
        ProvisionError: It is not there; the message says what to do.
    """
    for machine in found:
        if machine.role == "manager" and machine.is_live:
            return machine
    expires = stack.parameters.get("Expires", "never")
    when = f", and it was to end at {expires}" if expires != "never" else ""
    raise ProvisionError(
        f"the manager of {stack.name} does not run{when}: `auniverse cluster down -s {stack.name}` "
        "removes the stack, `up` makes another"
    )


async def end_workers(cloud: Cloud, ids: Iterable[str]) -> None:
    """End workers, and let their group want that many fewer.

    Raises:
        ProvisionError: AWS refuses.
    """
    async with asyncio.TaskGroup() as group:
        for each in ids:
            group.create_task(
                cloud.call(
                    "autoscaling",
                    "terminate_instance_in_auto_scaling_group",
                    InstanceId=each,
                    ShouldDecrementDesiredCapacity=True,
                )
            )
