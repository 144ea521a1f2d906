from __future__ import annotations

import json
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


@pytest.fixture
def scaffold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the command writes."""
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(app, ["new", "mine"])
    assert told.exit_code == 0, told.output
    return tmp_path / "mine"


def python(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, "AUNIVERSE_RUNTIMES": "runtimes.yml"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.mark.apt
def test_what_it_writes_is_played(scaffold: Path) -> None:
    done = python(scaffold, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_mine.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def played_with_a_number(folder: Path) -> tuple[int, str]:
    """Play where nobody says whether in containers or in processes."""
    play = ("run", "mine.Echo-v0", "--remotes", "1", "--steps", "5", "--json")
    done = python(folder, "-m", "auniverse", *play)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["steps"], done.stderr


@pytest.mark.apt
def test_it_needs_no_engine(scaffold: Path) -> None:
    assert played_with_a_number(scaffold)[0] == 5


@pytest.mark.docker
@pytest.mark.apt
@pytest.mark.xdist_group("docker")
def test_nor_an_image(scaffold: Path) -> None:
    steps, said = played_with_a_number(scaffold)
    assert steps == 5
    assert "processes instead of containers: the engine has no image mine/mine:1: " in said
    assert "`docker build -t mine/mine:1 FOLDER` builds it out of a Dockerfile of yours" in said
