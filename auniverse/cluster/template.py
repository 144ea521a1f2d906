"""The templates that CloudFormation makes a cluster of, as text."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from .cloud import Cloud

_FOLDER = Path(__file__).parent
_SCRIPT = "@node.sh"
#: What it is called in a bucket.
_KEY = "auniverse-cluster.yml"


def stack_template() -> str:
    """Return the template of a cluster, in YAML."""
    return _with_script((_FOLDER / "stack.yml").read_text(), (_FOLDER / "node.sh").read_text())


def network_template() -> str:
    """Return the template of a network for it, in YAML."""
    return (_FOLDER / "network.yml").read_text()


def _with_script(template: str, script: str) -> str:
    """Put a script where the template names it, indented as that line is."""
    lines = []
    for line in template.splitlines():
        if line.strip() == _SCRIPT:
            indent = line[: -len(_SCRIPT)]
            lines += [f"{indent}{each}".rstrip() for each in script.splitlines()]
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def launch_link(region: str, stack: str, template_url: str) -> str:
    """Return the link to AWS's own page that launches a stack from a template in S3.

    Args:
        region: Where.
        stack: The name that the page proposes.
        template_url: Where the template lies, "https://...".
    """
    return (
        f"https://{region}.console.aws.amazon.com/cloudformation/home?region={region}"
        f"#/stacks/create/review?templateURL={quote(template_url, safe='')}&stackName={stack}"
    )


async def publish(cloud: Cloud, bucket: str, text: str) -> str:
    """Put a template into a bucket of the user's, and return the link that launches it.

    The page reads it with its user's own credentials: the bucket need not be public.

    Raises:
        ProvisionError: AWS refuses.
    """
    await cloud.call("s3", "put_object", Bucket=bucket, Key=_KEY, Body=text.encode())
    where = f"https://{bucket}.s3.{cloud.region}.amazonaws.com/{_KEY}"
    return launch_link(cloud.region, "auniverse", where)
