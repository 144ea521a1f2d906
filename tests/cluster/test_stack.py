"""What a stack is called, and what its state means."""

import asyncio

import pytest

from auniverse.cluster import Cloud, Stack, find
from auniverse.errors import UsageError


def test_states() -> None:
    usable = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}
    for status in (*usable, "ROLLBACK_COMPLETE", "DELETE_FAILED", "CREATE_IN_PROGRESS"):
        stack = Stack("demo", "arn:demo", status)
        assert stack.is_usable == (status in usable)
        assert stack.is_settled == (status != "CREATE_IN_PROGRESS")


@pytest.mark.parametrize("name", ["", "1st", "my stack", "a" * 129, "a/b", "-a"])
def test_names_that_aws_would_not_take_never_reach_it(name: str) -> None:
    with pytest.raises(UsageError, match="no name of a stack"):
        asyncio.run(find(Cloud("us-west-2"), name))
