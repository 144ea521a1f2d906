"""The command line in this process: its commands are many, and boto3 takes long to import."""

from __future__ import annotations

import json
from typing import Any

from typer.testing import CliRunner, Result

from auniverse.cli import app


def cluster(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["cluster", *arguments])


def answer(*arguments: str) -> dict[str, Any]:
    """Return the JSON object that a command ends with."""
    result = cluster(*arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return found
