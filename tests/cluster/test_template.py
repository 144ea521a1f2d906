"""The templates: clean for cfn-lint, with a script that a shell can read."""

import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import boto3
import pytest

from auniverse.cluster import Cloud, launch_link, network_template, publish, stack_template
from auniverse.links import run

from ..aws import REGION

SCRIPT = Path(sys.modules[stack_template.__module__].__file__ or "").with_name("node.sh")


def test_cfn_lint_has_nothing_to_say(tmp_path: Path) -> None:
    (tmp_path / "stack.yml").write_text(stack_template())
    (tmp_path / "network.yml").write_text(network_template())
    lint = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run(
        [lint, tmp_path / "stack.yml", tmp_path / "network.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_script_is_in_both_places_and_the_shell_reads_it() -> None:
    text = stack_template()
    assert "@node.sh" not in text.replace("The line `@node.sh`", "")
    assert text.count("be_worker() {") == 2
    assert "${" not in SCRIPT.read_text(), "CloudFormation would put something there"
    assert subprocess.run(["bash", "-n", SCRIPT], check=False).returncode == 0
    assert len(text.encode()) < 51_200, "what CloudFormation takes by hand"


def test_the_link_names_the_template() -> None:
    link = launch_link("eu-west-1", "auniverse", "https://b.s3.eu-west-1.amazonaws.com/a b.yml")
    assert urlsplit(link).query == "region=eu-west-1"
    words = parse_qs(urlsplit(link).fragment.partition("?")[2])
    assert words == {
        "templateURL": ["https://b.s3.eu-west-1.amazonaws.com/a b.yml"],
        "stackName": ["auniverse"],
    }


@pytest.mark.xdist_group("aws")
@pytest.mark.usefixtures("aws")
def test_it_is_put_into_a_bucket() -> None:
    s3 = boto3.client("s3", region_name=REGION)
    s3.create_bucket(Bucket="mine", CreateBucketConfiguration={"LocationConstraint": REGION})
    link = run(publish(Cloud(), "mine", stack_template()))
    assert "mine.s3.us-west-2.amazonaws.com/auniverse-cluster.yml" in unquote(link)
    (entry,) = s3.list_objects_v2(Bucket="mine")["Contents"]
    assert entry["Size"] == len(stack_template())
