from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from auniverse.cli import app


def test_json_has_the_runtime_too() -> None:
    result = CliRunner().invoke(app, ["info", "gym-core.CarRacing-v3", "--json"])
    about = json.loads(result.stdout)
    assert about["id"] == "gym-core.CarRacing-v3"
    assert about["actions"] == []
    assert about["pointer"] is True
    assert about["runtime_info"]["name"] == "gym-core"


def test_table_says_what_each_action_presses() -> None:
    result = CliRunner().invoke(app, ["info", "gym-core.LunarLander-v3"])
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["action", "0", "no", "key"] in lines
    assert ["action", "2", "↑"] in lines
    assert ["fps", "50"] in lines


@pytest.mark.parametrize(
    ("env_id", "lines"),
    [
        ("gym-core.Pong-v5", ["rewarded yes"]),
        ("internet.SlitherIO-v0", ["rewarded no, unless you say what earns one"]),
        (
            "wob.real.Signup-0-v0",
            ["brought by you: the program, or the page", "rewarded it was in Universe; here as"],
        ),
        ("wob.real.Quizlet-Mars-Test-v0", ["rewarded it was not in Universe; here as"]),
    ],
)
def test_what_is_brought_and_what_earns(env_id: str, lines: list[str]) -> None:
    result = CliRunner().invoke(app, ["info", env_id])
    told = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert all(any(one.startswith(line) for one in told) for line in lines), told


def test_an_unlisted_environment_is_left_to_its_remote() -> None:
    result = CliRunner().invoke(app, ["info", "gym-core.Unlisted-v7"])
    assert result.exit_code == 0
    assert "the remote describes it" in result.stdout


def test_an_unknown_environment_gets_near_names() -> None:
    result = CliRunner().invoke(app, ["info", "gym-core.Pong"])
    assert result.exit_code == 2
    assert "gym-core.Pong-v5" in result.stderr
    assert result.stdout == ""
