from __future__ import annotations

import json

from typer.testing import CliRunner

from auniverse.cli import app
from auniverse.cli.list import keys_text
from auniverse.runtimes import envs


def test_json_has_every_environment() -> None:
    result = CliRunner().invoke(app, ["list", "--json"])
    listed = json.loads(result.stdout)
    assert [entry["id"] for entry in listed] == [env.env_id for env in envs()]
    pong = next(entry for entry in listed if entry["id"] == "gym-core.Pong-v5")
    assert pong["runtime"] == "gym-core"
    assert pong["fps"] == 60
    assert pong["text"] is False
    assert (pong["brought"], pong["rewarded"]) == (False, True)
    assert pong["actions"][:3] == [[], ["space"], ["ArrowRight"]]
    assert pong["keys"] == ["space", "ArrowRight", "ArrowLeft"]


def test_table_has_every_id_whole() -> None:
    result = CliRunner().invoke(app, ["list"])
    assert all(env.env_id in result.stdout for env in envs() if not env.brought)
    assert "flashgames: 1129 more, whose programs or pages you bring" in result.stdout
    assert "internet: 47 more, whose programs or pages you bring" in result.stdout
    assert len(result.stdout.splitlines()) < 300
    whole = CliRunner().invoke(app, ["list", "--runtime", "flashgames"])
    assert all(env.env_id in whole.stdout for env in envs("flashgames"))
    assert f"{len(envs())} environments" in result.stderr


def test_an_unknown_runtime_is_the_callers_fault() -> None:
    result = CliRunner().invoke(app, ["list", "--runtime", "nintendo"])
    assert result.exit_code == 2
    assert "nintendo" in result.stderr
    assert "gym-core" in result.stderr


def test_keys_are_short() -> None:
    assert keys_text(["ArrowLeft", "space"], pointer=True) == "← space pointer"
