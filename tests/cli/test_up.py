"""`up`, `ps`, `run --client-id` and `down` on a real engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .command import auniverse

pytestmark = [
    pytest.mark.docker,
    pytest.mark.xdist_group("docker"),
    pytest.mark.usefixtures("image"),
]
PONG = "gym-core.Pong-v5"


def test_remotes_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    up = auniverse("up", "gym-core", "-n", "2", "--lease", "120", "--json")
    kept = json.loads(up.stdout)
    try:
        assert "gym-core-1: ready" in up.stderr
        assert "by hand: docker run --rm" in up.stderr
        assert [(one["client_id"], one["lease"]) for one in kept] == [("up", "600")] * 2
        play = ("run", PONG, "--remotes", "docker:2", "--client-id", "up", "--seconds", "0.5")
        played = json.loads(auniverse(*play, "--json").stdout)
        assert sorted(played["remotes"]) == sorted(one["address"] for one in kept)
        listed = json.loads(auniverse("ps", "--json").stdout)
        assert [one["name"] for one in listed] == [one["name"] for one in kept]
        table = auniverse("ps").stdout
        assert "client_id" in table
        assert kept[0]["url"] not in table
    finally:
        down = json.loads(auniverse("down", "gym-core", "--json").stdout)
    assert down == sorted(one["name"] for one in kept)
    assert auniverse("down").stdout == "none\n"
