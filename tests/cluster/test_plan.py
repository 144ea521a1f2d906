"""Plans are held against what the region has, before anything is made."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import boto3
import pytest

from auniverse.cluster import Cloud, Plan
from auniverse.cluster.plan import check, expiry, parameters
from auniverse.errors import ProvisionError, UsageError

from ..aws import KEY, REGION

NOW = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)


def test_hours_become_a_time() -> None:
    assert expiry(None, NOW) == "never"
    assert expiry(1.5, NOW) == "2026-11-23T01:00:00Z"
    for soon in (0.1, 0, -1, float("nan")):
        with pytest.raises(UsageError, match="ten minutes"):
            expiry(soon, NOW)


@pytest.mark.xdist_group("aws")
@pytest.mark.usefixtures("aws")
def test_what_the_region_lacks_is_named() -> None:
    async def main() -> None:
        cloud = Cloud(REGION)
        plan = Plan(KEY)
        await check(cloud, plan)
        with pytest.raises(UsageError, match=r"no key pair 'other' in us-west-2; .*: my-ec2-key"):
            await check(cloud, replace(plan, key="other"))
        with pytest.raises(UsageError, match=r"no machines of type c6i.gigantic"):
            await check(cloud, replace(plan, instance_type="c6i.gigantic"))
        found = await parameters(cloud, replace(plan, image="debian", spot=True), NOW)
        assert found["Image"].startswith("/aws/service/debian/")
        assert found["Spot"] == "yes"
        assert len(found["SubnetIds"].split(",")) > 1, "those of the default network"
        assert (await parameters(cloud, replace(plan, subnets=("subnet-1",)), NOW))[
            "SubnetIds"
        ] == "subnet-1"
        ec2 = boto3.client("ec2", region_name=REGION)
        for subnet in ec2.describe_subnets()["Subnets"]:
            ec2.delete_subnet(SubnetId=subnet["SubnetId"])
        with pytest.raises(ProvisionError, match="no subnet that gives public addresses"):
            await parameters(cloud, plan, NOW)
        ec2.delete_vpc(VpcId=ec2.describe_vpcs()["Vpcs"][0]["VpcId"])
        with pytest.raises(ProvisionError, match="no default network: --network"):
            await parameters(cloud, plan, NOW)

    asyncio.run(main())
