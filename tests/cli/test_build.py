from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from auniverse.cli import app

from .command import auniverse


def test_what_cannot_be_built_is_said_in_a_line() -> None:
    for arguments, code, said in (
        (("build", "mario"), 2, "there are: gym-core"),
        (("build", "gym-core"), 3, "is it running?"),
        (("up", "gym-core"), 3, "is it running?"),
        (("ps",), 3, "is it running?"),
        (("down",), 3, "is it running?"),
        (("down", "mario"), 2, "there are: gym-core"),
        (("pull", "gym-core"), 3, "is it running?"),
    ):
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == code, arguments
        assert said in result.stderr
        assert result.stderr.startswith("auniverse: ")
        assert result.stderr.count("\n") == 1


@pytest.mark.docker
@pytest.mark.xdist_group("docker")
def test_a_build_says_what_it_gave(image: str) -> None:
    built = auniverse("build", "gym-core", "--json")
    assert json.loads(built.stdout)["name"] == image
    assert json.loads(built.stdout)["fresh"] is False
    assert built.stderr == f"{image} is up to date\n"
