"""What docs/cluster.md tells to say to AWS is said as it stands there, to moto's server.

Its walk from the first boot to the last remote is in tests/cluster/test_play.py, what runs by hand
in the tests of containers.
"""

from __future__ import annotations

import shlex

import boto3
import pytest

from ...aws import REGION
from ...pages import commands
from .runner import answer, cluster

PAGE = [line for line in commands("cluster.md") if line.startswith("auniverse cluster ")]
#: Those that enter machines, which moto has none of: test_play says these, and those to swarms
#: that are not AWS's.
BY_SSH = [line for line in PAGE if " -i " in line]
TO_AWS = [line for line in PAGE if line not in BY_SSH and " --manager " not in line]


def words(line: str) -> list[str]:
    return shlex.split(line.removeprefix("auniverse cluster "))


@pytest.mark.xdist_group("aws")
@pytest.mark.usefixtures("aws")
def test_all_that_is_said_to_aws_alone() -> None:
    s3 = boto3.client("s3", region_name=REGION)
    s3.create_bucket(Bucket="MY-BUCKET", CreateBucketConfiguration={"LocationConstraint": REGION})
    cidr = next(line for line in PAGE if "--remotes-cidr" in line)
    made = answer(*words(cidr.replace("-i my-ec2-key.pem", "--key my-ec2-key")))
    assert (made["stack"], made["status"]) == ("OpenAI-Universe", "CREATE_COMPLETE")
    found = {line: answer(*words(line)) for line in TO_AWS if " down " not in line}
    assert [each["status"] for line, each in found.items() if " up " in line] == [
        "CREATE_COMPLETE"
    ] * 2
    scaled = [each for line, each in found.items() if " scale " in line]
    assert [each["workers"] for each in scaled] == [5, 5]
    assert [each["expires"] == "never" for each in scaled] == [True, False]
    assert "/stacks/create/review?templateURL=" in next(
        each["link"] for line, each in found.items() if " template " in line
    )
    (down,) = (line for line in PAGE if " down " in line)
    assert "nothing was deleted" in cluster(*words(down)).stderr, "it asks"
    assert answer(*words(down), "--yes") == {"deleted": ["OpenAI-Universe"]}


@pytest.mark.parametrize("line", BY_SSH)
def test_what_enters_machines_is_understood(line: str) -> None:
    """The stack is looked for in a region that there is not, before anything is entered."""
    result = cluster(*words(line), "--region", "nowhere")
    assert result.exit_code == 2
    assert "no region 'nowhere'" in result.stderr
