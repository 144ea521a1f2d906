"""AWS for the tests: moto's server in a process of its own, which real boto3 clients speak to.

`python -m tests.aws` serves on a free port, prints it, and ends with its standard input. moto never
fails to make a stack; one with the tag test=rollback does here, and is taken back as AWS would.
"""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

REGION = "us-west-2"
KEY = "my-ec2-key"
REASON = "You have requested more vCPU capacity than your current limit of 32 allows"
#: What boto3 reads; nothing of this user's own configuration counts.
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_CONFIG_FILE": "/nowhere",
    "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@contextmanager
def serving() -> Iterator[str]:
    """Serve, and give the endpoint."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.aws"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.wait(20)
        process.stdout.close()


def forget_all(endpoint: str) -> None:
    """Let AWS be as it was in the beginning."""
    request = urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST")
    urllib.request.urlopen(request, timeout=20).close()


def main() -> None:
    from moto.cloudformation.models import Event, Stack
    from moto.server import ThreadedMotoServer

    make = Stack.create_resources

    def make_or_fail(self: Stack) -> None:
        if self.tags.get("test") != "rollback":
            make(self)
            return
        self.template_dict["Resources"] = {}
        for status, reason in (
            ("CREATE_FAILED", REASON),
            ("CREATE_FAILED", "Resource creation cancelled"),
        ):
            self.events.append(
                Event(
                    stack_id=self.stack_id,
                    stack_name=self.name,
                    logical_resource_id="WorkerGroup",
                    physical_resource_id="",
                    resource_type="AWS::AutoScaling::AutoScalingGroup",
                    resource_status=status,
                    resource_status_reason=reason,
                    resource_properties=None,
                )
            )
        self._add_stack_event("ROLLBACK_COMPLETE")
        self.status = "ROLLBACK_COMPLETE"

    Stack.create_resources = make_or_fail  # type: ignore[method-assign]
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    sys.stdout.write(f"http://{host}:{port}\n")
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)  # not waiting for connections that clients keep


if __name__ == "__main__":
    main()
