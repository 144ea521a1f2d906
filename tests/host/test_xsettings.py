from __future__ import annotations

import dataclasses

import pytest

from auniverse.errors import UsageError
from auniverse.host.xsettings import Settings, read_settings
from auniverse.runtimes import env, read_sections


def settings(text: str) -> Settings:
    program = read_sections(text, "test.yml").section("program")
    found = dataclasses.replace(env("desktop.Arithmetic-v0"), program=program)
    return read_settings(found, (640, 480))


def test_everything_that_can_be_said() -> None:
    found = settings(
        """\
program:
  command: "game --seed {seed} -geometry {width}x{height}"
  debian: games
  reset: xdotool key n
  size: 320x200
  ready: 5
  settle: 0
  limit: 60
  reward: {file: score.txt, score: "(.*)", exit: {0: 1, other: -1}}
"""
    )
    assert found.command == ("game", "--seed", "{seed}", "-geometry", "{width}x{height}")
    assert (found.reset, found.size, found.limit) == (("xdotool", "key", "n"), (320, 200), 60.0)
    assert (found.source, found.whole) == ("score.txt", True)
    assert [found.ending(code) and found.ending(code).reward for code in (0, 3)] == [1.0, -1.0]


def test_little_is_enough() -> None:
    found = settings("program: {command: xeyes}")
    assert (found.size, found.reset, found.lines, found.screen) == ((640, 480), (), None, None)
    assert found.ending(0) is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("program: {debian: x}", r"test\.yml:1: program\.command is missing"),
        ('program: {command: "\'"}', r"test\.yml:1: program\.command cannot be split"),
        ("program: {command: x, colour: red}", r"program\.colour is not a known key"),
        ("program: {command: x, size: 9999x1}", r"program\.size must be like 640x480, each side"),
        ("program: {command: x, size: 800x600}", r"program\.size is more than the screen has"),
        (
            "program: {command: x, reward: {log: a, file: b}}",
            "file cannot stand beside a log",
        ),
        ("program: {command: x, reward: {exit: {-1: 1}}}", r"exit\.-1 is no exit code"),
        ("program:\n  command: x\n  limit: soon", r"test\.yml:3: program\.limit must be a number"),
    ],
)
def test_settings_that_make_no_sense(text: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        settings(text)
