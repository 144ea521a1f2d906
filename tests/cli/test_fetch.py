from __future__ import annotations

import os
from pathlib import Path

import pytest

from auniverse import shelf

from .command import auniverse


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without the player, whose npm is what the test writes."""
    monkeypatch.setenv(shelf.RUFFLE_VARIABLE, str(tmp_path / "ruffle"))
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin")
    return tmp_path


def npm(folder: Path, script: str) -> None:
    (folder / "npm").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "npm").chmod(0o755)


def test_what_npm_says_is_passed_on(bare: Path) -> None:
    npm(bare, 'echo "E404 no such package" >&2; exit 1')
    fetched = auniverse("fetch", "ruffle")
    assert fetched.returncode == 3
    assert "npm could not fetch @ruffle-rs/ruffle@0.6.0" in fetched.stderr
    assert "E404" in fetched.stderr


def test_another_archive_is_refused(bare: Path) -> None:
    npm(bare, 'echo evil > "$4/evil.tgz"')
    assert "SHA-512 differs" in auniverse("fetch", "ruffle").stderr
    (bare / "mine.tgz").write_text("mine")
    fetched = auniverse("fetch", "ruffle", "--from", str(bare / "mine.tgz"))
    assert "SHA-512 differs" in fetched.stderr
    assert not (bare / "ruffle").exists()
    assert "cannot read" in auniverse("fetch", "ruffle", "--from", str(bare / "none")).stderr


def test_what_is_there_is_not_fetched_again(bare: Path) -> None:
    (bare / "ruffle").mkdir()
    for name in shelf.RUFFLE_FILES:
        (bare / "ruffle" / name).touch()
    npm(bare, "exit 1")
    assert auniverse("fetch", "ruffle").returncode == 0
    assert auniverse("fetch", "shockwave").returncode == 2
