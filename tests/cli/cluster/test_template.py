"""`auniverse cluster template`: text, or a link."""

import boto3
import pytest

from auniverse.cluster import network_template, stack_template

from ...aws import REGION
from .runner import answer, cluster


def test_text() -> None:
    assert cluster("template").stdout == stack_template()
    assert cluster("template", "--network").stdout == network_template()
    assert answer("template") == {"template": stack_template()}


@pytest.mark.xdist_group("aws")
@pytest.mark.usefixtures("aws")
def test_link() -> None:
    s3 = boto3.client("s3", region_name=REGION)
    s3.create_bucket(Bucket="mine", CreateBucketConfiguration={"LocationConstraint": REGION})
    link = answer("template", "--bucket", "mine")["link"]
    assert link.startswith(f"https://{REGION}.console.aws.amazon.com/cloudformation/home")
    assert cluster("template", "--bucket", "mine").stdout == f"{link}\n"
