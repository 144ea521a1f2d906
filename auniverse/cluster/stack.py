"""A stack of CloudFormation: created, watched, changed, deleted."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from typing import Any

from auniverse.errors import ProvisionError, UsageError

from .cloud import Cloud, Refused

#: Seconds between two looks at what a stack does.
PAUSE = 5.0
#: Resources whose failure is told; those that were only cancelled because of them do not count.
_CANCELLED = ("Resource creation cancelled", "Resource update cancelled")
#: The tag by which our stacks are known among others.
TAG = "auniverse"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")

#: Called with the name of something of a stack and what it does now.
Progress = Callable[[str, str], None]


@dataclass(frozen=True)
class Stack:
    """A stack as CloudFormation knows it.

    Attributes:
        name: Its name.
        id: What tells it from others of the same name.
        status: Such as "CREATE_COMPLETE".
        parameters: What it was made with.
        outputs: What it tells.
        tags: Its tags.
    """

    name: str
    id: str
    status: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_settled(self) -> bool:
        """Whether nothing is being done to it."""
        return not self.status.endswith("_IN_PROGRESS")

    @property
    def is_usable(self) -> bool:
        """Whether its machines are, or are about to be, what its parameters say."""
        return self.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")


async def find(cloud: Cloud, name: str) -> Stack | None:
    """Return a stack by its name or id; None: there is none.

    Raises:
        UsageError: That is no name of a stack.
        ProvisionError: AWS refuses.
    """
    if not name.startswith("arn:") and not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name of a stack: letters, digits and '-', a letter first")
    try:
        (seen,) = (await cloud.call("cloudformation", "describe_stacks", StackName=name))["Stacks"]
    except Refused as error:
        if error.code == "ValidationError" and "does not exist" in error.message:
            return None
        raise
    return _read(seen)


async def our_stacks(cloud: Cloud) -> list[Stack]:
    """Return the clusters of this region, whoever started them.

    Raises:
        ProvisionError: AWS refuses.
    """
    seen = await cloud.every("cloudformation", "describe_stacks", "Stacks")
    return [stack for stack in map(_read, seen) if stack.tags.get(TAG) == "cluster"]


async def the_stack(cloud: Cloud, name: str) -> Stack:
    """Return a stack that there must be.

    Raises:
        UsageError: There is none; the message names those that there are.
        ProvisionError: AWS refuses.
    """
    stack = await find(cloud, name)
    if stack is None or stack.status == "DELETE_COMPLETE":
        names = ", ".join(other.name for other in await our_stacks(cloud)) or "none"
        raise UsageError(
            f"there is no stack {name!r} in {cloud.region}; clusters there: {names} "
            f"(--region looks elsewhere, `auniverse cluster up -s {name}` makes one)"
        )
    return stack


async def check_new(cloud: Cloud, name: str) -> None:
    """See whether a stack can be given a name.

    Raises:
        UsageError: There is one of that name, or that is no name.
        ProvisionError: AWS refuses.
    """
    there = await find(cloud, name)
    if there is None or there.status == "DELETE_COMPLETE":
        return
    remedy = f"`auniverse cluster down -s {name}` deletes it"
    if not there.is_settled:
        remedy = "something is being done to it: look again in a minute"
    raise UsageError(f"the stack {name} exists in {cloud.region}: {there.status} ({remedy})")


async def create(
    cloud: Cloud,
    name: str,
    template: str,
    parameters: Mapping[str, str],
    tags: Mapping[str, str],
    progress: Progress,
) -> Stack:
    """Create a stack and wait until it is there.

    Raises:
        UsageError: There is one of that name by now.
        ProvisionError: AWS refuses, or takes it back; the message says what failed, and why.
    """
    try:
        made = await cloud.call(
            "cloudformation",
            "create_stack",
            StackName=name,
            TemplateBody=template,
            Parameters=_written(parameters),
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            Capabilities=["CAPABILITY_IAM"],
            OnFailure="ROLLBACK",
        )
    except Refused as error:
        if error.code == "AlreadyExistsException":  # since we looked
            raise UsageError(f"the stack {name} exists in {cloud.region}") from error
        raise
    return await _settle(cloud, made["StackId"], "CREATE_COMPLETE", progress)


async def update(
    cloud: Cloud, stack: Stack, changes: Mapping[str, str], progress: Progress
) -> Stack:
    """Change parameters of a stack and wait until it is as they say.

    Raises:
        ProvisionError: AWS refuses, or takes it back.
    """
    kept = [
        {"ParameterKey": key, "UsePreviousValue": True}
        for key in stack.parameters
        if key not in changes
    ]
    before = await _events(cloud, stack.id)
    try:
        await cloud.call(
            "cloudformation",
            "update_stack",
            StackName=stack.id,
            UsePreviousTemplate=True,
            Parameters=[*_written(changes), *kept],
            Capabilities=["CAPABILITY_IAM"],
        )
    except Refused as error:
        if "No updates are to be performed" not in error.message:
            raise
        return stack
    return await _settle(cloud, stack.id, "UPDATE_COMPLETE", progress, before)


async def delete(cloud: Cloud, stack: Stack, progress: Progress) -> None:
    """Delete a stack with all that belongs to it, and wait until it is gone.

    Raises:
        ProvisionError: AWS refuses, or something of it cannot be deleted.
    """
    before = await _events(cloud, stack.id)
    await cloud.call("cloudformation", "delete_stack", StackName=stack.id)
    await _settle(cloud, stack.id, "DELETE_COMPLETE", progress, before)


async def _events(cloud: Cloud, stack_id: str) -> dict[str, dict[str, Any]]:
    """Return what has happened to a stack, by the event's id, oldest first."""
    events = await cloud.every(
        "cloudformation", "describe_stack_events", "StackEvents", StackName=stack_id
    )
    return {event["EventId"]: event for event in reversed(events)}


async def _settle(
    cloud: Cloud,
    stack_id: str,
    wanted: str,
    progress: Progress,
    before: Container[str] = (),
) -> Stack:
    """Pass on what happens to a stack, except what did `before`, until nothing does any more."""
    verb = wanted.partition("_")[0]
    seen: set[str] = set()
    failures: list[str] = []
    while True:
        stack = await find(cloud, stack_id)
        for number, event in (await _events(cloud, stack_id)).items():
            status = event.get("ResourceStatus", "")
            if number in before or number in seen or not status.startswith(verb):
                continue
            seen.add(number)
            name, reason = event.get("LogicalResourceId", ""), event.get("ResourceStatusReason", "")
            progress(name, status.lower().replace("_", " "))
            if status.endswith("FAILED") and reason and not reason.startswith(_CANCELLED):
                failures.append(f"{name}: {reason}")
        if stack is None or stack.is_settled:
            break
        await asyncio.sleep(PAUSE)
    if stack is None or stack.status == wanted:  # deleted: it may not even be described any more
        return stack or Stack("", stack_id, wanted)
    why = "; ".join(dict.fromkeys(failures)) or "CloudFormation does not say why"
    undone = stack.status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED")
    remedy = f" (`auniverse cluster down -s {stack.name}` removes what is left)" if undone else ""
    raise ProvisionError(f"the stack {stack.name} ended as {stack.status}: {why}{remedy}")


def _read(seen: Mapping[str, Any]) -> Stack:
    def table(key: str, name: str, value: str) -> dict[str, str]:
        return {each[name]: each.get(value, "") for each in seen.get(key) or ()}

    return Stack(
        name=seen["StackName"],
        id=seen["StackId"],
        status=seen["StackStatus"],
        parameters=table("Parameters", "ParameterKey", "ParameterValue"),
        outputs=table("Outputs", "OutputKey", "OutputValue"),
        tags=table("Tags", "Key", "Value"),
    )


def _written(parameters: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
