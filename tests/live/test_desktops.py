"""World of Bits and Flash in containers: the images, their parent, and a game in Chromium."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ..cli.command import auniverse

pytestmark = [
    pytest.mark.docker,
    pytest.mark.xdist_group("docker"),
    pytest.mark.usefixtures("image"),
]
#: Seconds allowed; it takes 65 where nothing is cached.
BUILDING = 400


def test_a_browser_is_built_and_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    fresh = auniverse("build", "world-of-bits", "--json", timeout=BUILDING)
    assert fresh.returncode == 0, fresh.stderr[-2000:]
    built = json.loads(fresh.stdout)
    assert built["size"] < 1000e6
    again = auniverse("build", "world-of-bits", "--json")
    assert again.stderr.splitlines() == [
        "auniverse/vnc:1 is up to date",
        "auniverse/world-of-bits:1 is up to date",
    ]
    play = ("run", "wob.mini.ClickTest-v0", "--remotes", "docker:1", "--seconds", "2", "--json")
    played = json.loads(auniverse(*play).stdout)
    assert played["faults"] == 0
    assert played["steps"] > 0
    assert played["updates"] > 0


def test_a_flash_game_is_built_and_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    fresh = auniverse("build", "flashgames", "--json", timeout=BUILDING)
    assert fresh.returncode == 0, fresh.stderr[-2000:]
    assert json.loads(fresh.stdout)["size"] < 1000e6
    play = ("run", "flashgames.StarCatch-v0", "--remotes", "docker:1", "--seconds", "12", "--json")
    played = json.loads(auniverse(*play, timeout=120).stdout)
    assert played["faults"] == 0
    assert played["episodes"] > 0  # nobody catches the stars
