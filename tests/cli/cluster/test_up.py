"""`auniverse cluster up`: a cluster of AWS, as moto's server has it."""

import pytest

from auniverse.cli.cluster.up import tags_from
from auniverse.errors import UsageError

from ...aws import KEY, REASON
from .runner import answer, cluster

pytestmark = [pytest.mark.xdist_group("aws"), pytest.mark.usefixtures("aws")]


def test_up() -> None:
    made = cluster("up", "-s", "demo", "--key", KEY, "--workers", "1", "--tag", "team=rl")
    assert made.exit_code == 0, made.output
    assert "demo: create complete" in made.stderr
    assert f"auniverse cluster start -s demo --region us-west-2 -i {KEY}.pem" in made.stderr
    assert made.stdout == "The cluster demo is up in us-west-2; it expires: never\n"
    again = cluster("up", "-s", "demo", "--key", KEY)
    assert again.exit_code == 2
    assert "demo exists" in again.stderr


def test_what_cannot_be() -> None:
    for words, code, text in (
        (("--key", "other"), 2, f"there are: {KEY}"),
        (("-i", "keys/other.pem"), 2, "no key pair 'other'"),
        ((), 2, "--key names"),
        (("--key", KEY, "--region", "us-west-9"), 2, "no region 'us-west-9'"),
        (("--key", KEY, "--instance-type", "x9.huge"), 2, "no machines of type x9.huge"),
        (("--key", KEY, "--ttl", "0.01"), 2, "ten minutes"),
        (("--key", KEY, "--tag", "test=rollback"), 3, REASON),
    ):
        result = cluster("up", "-s", "demo", *words)
        assert (result.exit_code, text in result.stderr) == (code, True), result.output


def test_as_json_with_a_time_to_end() -> None:
    made = answer("up", "-s", "demo", "--key", KEY, "--workers", "1", "--ttl", "2", "--spot")
    assert made["status"] == "CREATE_COMPLETE"
    assert made["expires"].endswith("Z")
    assert [machine["role"] for machine in made["machines"]] == ["manager", "worker"]


def test_tags() -> None:
    assert tags_from(["a=b=c", "d="]) == {"a": "b=c", "d": ""}
    with pytest.raises(UsageError, match="KEY=VALUE"):
        tags_from(["nonsense"])
