"""AWS and its user, as for the tests of the room below."""

from ...cluster.conftest import aws, endpoint

__all__ = ["aws", "endpoint"]
