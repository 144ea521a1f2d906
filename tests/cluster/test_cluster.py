"""A cluster's life, as real boto3 clients and moto's server have it."""

from __future__ import annotations

import ast
import asyncio
import base64
from datetime import UTC, datetime

import boto3
import pytest

from auniverse.cluster import (
    Cloud,
    Plan,
    Stack,
    bring_up,
    check_usable,
    find,
    machines,
    set_expiry,
    set_workers,
    take_down,
    the_stack,
)
from auniverse.errors import ProvisionError, UsageError

from ..aws import KEY, REASON, REGION

pytestmark = [pytest.mark.xdist_group("aws"), pytest.mark.usefixtures("aws")]
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def quiet(name: str, state: str) -> None:
    pass


async def up(cloud: Cloud, name: str = "demo", **options: object) -> Stack:
    plan = Plan(**{"key": KEY, "workers": 1, **options})  # type: ignore[arg-type]
    return await bring_up(cloud, name, plan, NOW, quiet)


async def roles(cloud: Cloud, stack: Stack) -> list[str]:
    return [each.role for each in await machines(cloud, stack) if each.is_live]


def test_up_more_fewer_longer_down() -> None:
    said: list[tuple[str, str]] = []

    async def main() -> None:
        cloud = Cloud()
        assert cloud.region == REGION
        plan = Plan(KEY, workers=2, ttl=3, remotes_cidr="192.0.2.0/24", tags={"team": "rl"})
        stack = await bring_up(cloud, "demo", plan, NOW, lambda *words: said.append(words))
        assert ("demo", "create complete") in said
        assert stack.tags == {"team": "rl", "auniverse": "cluster"}
        assert stack.parameters["Expires"] == "2026-11-22T15:00:00Z"
        assert await roles(cloud, stack) == ["manager", "worker", "worker"]
        stack = await set_workers(cloud, stack, 4, quiet)
        assert (await roles(cloud, stack)).count("worker") == 4
        stack = await set_workers(cloud, stack, 1, quiet)
        assert (await roles(cloud, stack)).count("worker") == 1
        assert await set_workers(cloud, stack, 1, quiet), "nothing to do is no error"
        stack = await set_expiry(cloud, stack, 1.5, NOW, quiet)
        assert stack.parameters["Expires"] == "2026-11-22T13:30:00Z"
        assert stack.parameters["Workers"] == "1", "what is not named stays"
        with pytest.raises(UsageError, match="0 to 1000"):
            await set_workers(cloud, stack, 1001, quiet)
        ssm = boto3.client("ssm", region_name=REGION)
        ssm.put_parameter(Name="/auniverse/demo/join", Value="x", Type="SecureString")
        assert await take_down(cloud, "demo", quiet) == ["demo"]
        assert ssm.get_parameters(Names=["/auniverse/demo/join"])["Parameters"] == []
        gone = await find(cloud, "demo")
        assert gone is None or gone.status == "DELETE_COMPLETE"

    asyncio.run(main())


def test_what_only_the_group_and_the_stack_know_is_told() -> None:
    async def main() -> None:
        cloud = Cloud()
        stack = await up(cloud, remotes_cidr="192.0.2.0/24")
        groups = boto3.client("ec2", region_name=REGION).describe_security_groups()[
            "SecurityGroups"
        ]
        (ours,) = [group for group in groups if "auniverse" in group["Description"]]
        open_to_all = [
            (rule["FromPort"], rule["IpRanges"][0]["CidrIp"])
            for rule in ours["IpPermissions"]
            if rule["IpRanges"]
        ]
        assert sorted(open_to_all) == [(22, "0.0.0.0/0"), (32768, "192.0.2.0/24")]
        iam = boto3.client("iam", region_name=REGION)
        allowed = set()
        for role in iam.list_roles()["Roles"]:
            for name in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
                policy = iam.get_role_policy(RoleName=role["RoleName"], PolicyName=name)
                for statement in ast.literal_eval(policy["PolicyDocument"])["Statement"]:
                    allowed.add((statement["Action"], statement["Resource"].split(":", 5)[5]))
        path = "parameter/auniverse/demo/join"
        assert allowed == {("ssm:PutParameter", path), ("ssm:GetParameter", path)}
        assert stack.is_usable
        ec2 = boto3.client("ec2", region_name=REGION)
        for template in ec2.describe_launch_templates()["LaunchTemplates"]:
            (version,) = ec2.describe_launch_template_versions(
                LaunchTemplateId=template["LaunchTemplateId"]
            )["LaunchTemplateVersions"]
            data = version["LaunchTemplateData"]
            assert data["MetadataOptions"]["HttpTokens"] == "required"
            assert data["MetadataOptions"]["HttpPutResponseHopLimit"] == 1, "not for containers"
            assert data["BlockDeviceMappings"][0]["Ebs"]["Encrypted"]
            script = base64.b64decode(data["UserData"]).decode()
            assert "SWMTKN" not in script
            assert "set -x" not in script, "the console would show the token"

    asyncio.run(main())


def test_what_there_is_already_is_left_alone() -> None:
    async def main() -> None:
        cloud = Cloud()
        await up(cloud)
        with pytest.raises(UsageError, match=r"demo exists in us-west-2: CREATE_COMPLETE .*down"):
            await up(cloud)
        with pytest.raises(UsageError, match=r"no stack 'other' in us-west-2; .*: demo"):
            await the_stack(cloud, "other")
        template = '{"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {}}}}'
        boto3.client("cloudformation", region_name=REGION).create_stack(
            StackName="foreign", TemplateBody=template
        )
        with pytest.raises(UsageError, match="no cluster of auniverse's"):
            await take_down(cloud, "foreign", quiet)

    asyncio.run(main())


def test_a_stack_that_is_taken_back_says_why() -> None:
    async def main() -> None:
        cloud = Cloud()
        with pytest.raises(ProvisionError, match="ROLLBACK_COMPLETE") as caught:
            await up(cloud, "greedy", tags={"test": "rollback"})
        assert f"WorkerGroup: {REASON} (" in str(caught.value), "and nothing that was cancelled"
        assert "`auniverse cluster down -s greedy` removes what is left" in str(caught.value)
        left = await the_stack(cloud, "greedy")
        with pytest.raises(ProvisionError, match="greedy is ROLLBACK_COMPLETE"):
            check_usable(left)
        with pytest.raises(UsageError, match="down -s greedy"):
            await up(cloud, "greedy")

    asyncio.run(main())


def test_a_network_is_made_first_and_what_cannot_be_deleted_is_told() -> None:
    """moto deletes a network in an order that it itself refuses; AWS does not."""

    async def main() -> None:
        cloud = Cloud()
        plan = Plan(KEY, workers=1)
        stack = await bring_up(cloud, "demo", plan, NOW, quiet, network=True)
        network = await the_stack(cloud, "demo-network")
        assert stack.parameters["VpcId"] == network.outputs["VpcId"]
        for subnet in network.outputs["SubnetIds"].split(","):
            assert subnet in stack.parameters["SubnetIds"]
        with pytest.raises(ProvisionError, match="DependencyViolation"):
            await take_down(cloud, "demo", quiet)
        with pytest.raises(UsageError, match="no stack 'demo'"):
            await the_stack(cloud, "demo")

    asyncio.run(main())
