from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from auniverse.cli import app


def test_what_it_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    for name, complaint in (("../x", "is no name"), ("desktop", "a runtime desktop already")):
        told = runner.invoke(app, ["new", name])
        assert told.exit_code != 0
        assert complaint in told.output
    (tmp_path / "mine").mkdir()
    assert "is there already" in runner.invoke(app, ["new", "mine"]).output


@pytest.mark.apt
def test_what_it_writes_is_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(app, ["new", "mine"])
    assert told.exit_code == 0, told.output
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_mine.py"],
        cwd=tmp_path / "mine",
        env={**os.environ, "AUNIVERSE_RUNTIMES": "runtimes.yml"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
