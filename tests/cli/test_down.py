from __future__ import annotations

import json
from pathlib import Path

import pytest

from .command import auniverse


@pytest.mark.docker
@pytest.mark.xdist_group("docker")
def test_nothing_of_ours_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert json.loads(auniverse("down", "--force", "--json").stdout) == []
