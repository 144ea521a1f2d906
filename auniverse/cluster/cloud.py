"""A region of AWS, asked by boto3 in threads, and its complaints in our words."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from auniverse.errors import MissingDependencyError, ProvisionError, UsageError

if TYPE_CHECKING:
    import boto3

#: Where stacks are unless somebody says otherwise, as in Universe.
DEFAULT_REGION = "us-west-2"

#: What AWS complains of, by the code of the complaint, and what helps.
_REMEDIES = {
    "AccessDenied": "the credentials do not allow that: docs/cluster.md lists what they must allow",
    "AuthFailure": "the credentials are refused: `aws sts get-caller-identity` says whose they are",
    "ExpiredToken": "the credentials are too old: log in again",
    "InvalidClientTokenId": "the credentials are unknown to AWS",
    "OptInRequired": "this region has to be enabled for the account first",
    "Throttling": "AWS is asked too much: try again in a minute",
    "UnauthorizedOperation": "the credentials do not allow that: docs/cluster.md lists what they "
    "must allow",
}


class Cloud:
    """A region of AWS with the credentials of this user, as boto3 finds them.

    Args:
        region: Its name; None: what the user's configuration says, else `DEFAULT_REGION`.

    Attributes:
        region: Its name.

    Raises:
        MissingDependencyError: boto3 is not installed.
        UsageError: There is no such region, or no such profile.
    """

    def __init__(self, region: str | None = None) -> None:
        try:
            import boto3
            from botocore.exceptions import ProfileNotFound
        except ImportError as error:
            raise MissingDependencyError(
                "clusters on AWS need packages: pip install 'auniverse[cluster]'"
            ) from error
        try:
            self._session: boto3.Session = boto3.Session(region_name=region)
        except ProfileNotFound as error:
            raise UsageError(f"AWS_PROFILE: {error}") from error
        self.region: str = self._session.region_name or DEFAULT_REGION
        self._clients: dict[str, Any] = {}
        self._making = asyncio.Lock()
        self._check_region()

    def _check_region(self) -> None:
        partitions = self._session.get_available_partitions()
        regions = [
            name
            for partition in partitions
            for name in self._session.get_available_regions("cloudformation", partition)
        ]
        if self.region not in regions:
            close = difflib.get_close_matches(self.region, regions, 3) or sorted(regions)[:3]
            raise UsageError(
                f"there is no region {self.region!r}; did you mean {', '.join(close)}?"
            )

    async def call(self, service: str, operation: str, **arguments: Any) -> dict[str, Any]:
        """Call an operation, such as "ec2", "describe_instances"; return what it answers.

        Raises:
            Refused: AWS says no.
            ProvisionError: There are no credentials, or AWS does not answer.
        """
        client = await self._client(service)
        with _speaking(f"{service} in {self.region}"):
            found: dict[str, Any] = await asyncio.to_thread(getattr(client, operation), **arguments)
            return found

    async def every(
        self, service: str, operation: str, key: str, **arguments: Any
    ) -> list[dict[str, Any]]:
        """Call an operation page by page; return what stands under `key` in all of them.

        Raises:
            Refused: AWS says no.
            ProvisionError: There are no credentials, or AWS does not answer.
        """
        client = await self._client(service)

        def read() -> list[dict[str, Any]]:
            pages = client.get_paginator(operation).paginate(**arguments)
            return [item for page in pages for item in page.get(key, ())]

        with _speaking(f"{service} in {self.region}"):
            return await asyncio.to_thread(read)

    async def _client(self, service: str) -> Any:
        async with self._making:  # a session is not for two threads at once; clients are
            if service not in self._clients:
                with _speaking(f"{service} in {self.region}"):
                    self._clients[service] = await asyncio.to_thread(
                        self._session.client, service, region_name=self.region
                    )
        return self._clients[service]


class Refused(ProvisionError):
    """AWS said no.

    Attributes:
        code: Its code of the complaint, such as "ValidationError".
        message: Its words.
    """

    def __init__(self, what: str, code: str, message: str) -> None:
        remedy = next((text for sign, text in _REMEDIES.items() if code.startswith(sign)), "")
        super().__init__(f"{what}: {message} [{code}]{f' ({remedy})' if remedy else ''}")
        self.code = code
        self.message = message


@contextmanager
def _speaking(what: str) -> Iterator[None]:
    """Turn what boto3 raises into a ProvisionError about `what`."""
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        NoCredentialsError,
        PartialCredentialsError,
    )
    from botocore.parsers import ResponseParserError

    try:
        yield
    except ClientError as error:
        found = error.response.get("Error", {})
        code, message = found.get("Code", "?"), found.get("Message", str(error))
        raise Refused(f"AWS refuses ({what})", code, message) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise ProvisionError(
            "no AWS credentials here: `aws configure` writes them, AWS_PROFILE chooses among them"
        ) from error
    except (BotoCoreError, ResponseParserError) as error:
        reason = str(error).partition("\n")[0]
        raise ProvisionError(f"AWS does not answer ({what}): {reason}") from error
