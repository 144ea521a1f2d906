"""Files of users beside ours, and settings that are said with an id."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import auniverse.runtimes.catalog
from auniverse.errors import UsageError
from auniverse.runtimes import (
    Limits,
    env,
    runtime,
    runtimes,
    with_settings,
)


@pytest.fixture
def theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file of the user's, which adds to ours."""
    path = tmp_path / "theirs.yml"
    monkeypatch.setenv("AUNIVERSE_RUNTIMES", str(path))
    auniverse.runtimes.catalog._catalog.cache_clear()
    yield path
    auniverse.runtimes.catalog._catalog.cache_clear()


THEIRS = """\
desktop:
  families:
    mine:
      press: hold
      fps: 30
      envs:
      - games: Eyes-v0
        keys: none
        program:
          command: xeyes
          options: speed
          speed: 1
puzzles:
  title: Puzzles
  kind: desktop
  host: desktop
  lease: 60
"""


def test_a_file_of_the_users_adds_to_ours(theirs: Path) -> None:
    theirs.write_text(THEIRS)
    assert runtime("puzzles").host == "desktop"
    assert runtime("desktop").image == "auniverse/desktop"
    assert [runtime.host for runtime in runtimes()[:2]] == ["gym-core", "world-of-bits"]
    assert env("desktop.Arithmetic-v0").runtime == env("desktop.Eyes-v0").runtime == "desktop"
    program = env("desktop.Eyes-v0").program
    assert program is not None
    assert program.text("command") == "xeyes"
    complaint = (
        r"^theirs\.yml:12: desktop\.families\.mine\.envs\[0\]\.program\.speed is not a known"
    )
    program.text("options")
    with pytest.raises(UsageError, match=complaint):
        program.finish()


def test_a_file_of_the_users_may_say_what_we_said(theirs: Path) -> None:
    ours = auniverse.runtimes.catalog._FILE.read_text()
    theirs.write_text(
        ours.replace("auniverse/gym-core", "mine/games").replace("cpus: 1", "cpus: 2")
    )
    assert runtime("gym-core").image == "mine/games"
    assert runtime("gym-core").limits == Limits(memory=512, cpus=2.0, pids=64)
    theirs.write_text(ours.replace("memory: 512", "memory: 5"))
    auniverse.runtimes.catalog._catalog.cache_clear()
    complaint = r"theirs\.yml:\d+: gym-core\.limits\.memory must lie between 16 and"
    with pytest.raises(UsageError, match=complaint):
        runtime("gym-core")


def test_settings_are_said_with_the_id(theirs: Path) -> None:
    theirs.write_text(THEIRS)
    env_id = with_settings("desktop.Eyes-v0", {"speed": 2.5})
    assert env_id == "desktop.Eyes-v0?speed=2.5"
    assert with_settings("desktop.Eyes-v0", {}) == "desktop.Eyes-v0"
    program = env(env_id).program
    assert program is not None
    assert (program.number("speed", 0, 9), program.text("command")) == (2.5, "xeyes")
    url = "http://localhost:1/?a=b&c=d e#f"
    program = env(with_settings("internet.Page-v0", {"url": url, "network": True})).program
    assert program is not None
    assert (program.text("url"), program.truth("network")) == (url, True)
    bad = env("desktop.Eyes-v0?speed=fast").program
    assert bad is not None
    with pytest.raises(UsageError, match=r"theirs\.yml:10: .*program\.speed must be a number"):
        bad.number("speed", 0, 9)


@pytest.mark.parametrize(
    ("env_id", "complaint"),
    [
        ("desktop.Eyes-v0?command=rm", "desktop.Eyes-v0 has no setting 'command'; it has speed"),
        ("desktop.Eyes-v0?speed", "bad query field"),
        ("gym-core.Pong-v5?speed=2", "gym-core.Pong-v5 has no setting 'speed'"),
        ("gym-core.Pog-v6?speed=2", "there is no environment"),
    ],
)
def test_a_setting_that_there_is_not(theirs: Path, env_id: str, complaint: str) -> None:
    theirs.write_text(THEIRS)
    with pytest.raises(UsageError, match=re.escape(complaint)):
        env(env_id)
