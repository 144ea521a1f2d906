"""AWS's complaints, in our words."""

import asyncio
import builtins
from typing import Any

import pytest

from auniverse.cluster import Cloud, Refused
from auniverse.errors import MissingDependencyError, ProvisionError, UsageError


def test_regions_that_are_none_are_refused_with_those_that_are_close() -> None:
    with pytest.raises(UsageError, match="no region 'us-wets-2'; did you mean us-west-2"):
        Cloud("us-wets-2")


def test_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "boto3":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingDependencyError, match=r"pip install 'auniverse\[cluster\]'"):
        Cloud()


def test_profiles_and_credentials_that_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    with pytest.raises(ProvisionError, match="no AWS credentials here: `aws configure`"):
        asyncio.run(Cloud().call("ssm", "describe_parameters"))
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(UsageError, match=r"AWS_PROFILE.*nobody"):
        Cloud()


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(ProvisionError, match=r"does not answer \(ssm in us-west-2\): Could not"):
        asyncio.run(Cloud().call("ssm", "describe_parameters"))


@pytest.mark.xdist_group("aws")
@pytest.mark.usefixtures("aws")
def test_what_aws_refuses_has_its_code_and_perhaps_a_remedy() -> None:
    with pytest.raises(Refused, match=r"ssm in us-west-2.*\[ParameterNotFound\]") as caught:
        asyncio.run(Cloud().call("ssm", "get_parameter", Name="/none"))
    assert caught.value.code == "ParameterNotFound"
    refused = Refused("AWS refuses (ec2 in us-west-2)", "UnauthorizedOperation", "no")
    assert "do not allow that" in str(refused)
