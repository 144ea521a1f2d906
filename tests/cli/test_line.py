from __future__ import annotations

import sys

import pytest

from auniverse.cli.line import WIDTH, Line, states_line


@pytest.mark.parametrize(
    ("live", "written"),
    [(False, f"one\n{'x' * 200}\n"), (True, f"\rone\x1b[K\r{'x' * WIDTH}\x1b[K\r\x1b[K")],
)
def test_one_line_on_a_terminal_and_many_elsewhere(
    live: bool,
    written: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: live)
    with Line() as line:
        line.show("one")
        line.show("x" * 200)
    assert capsys.readouterr().err == written


def test_what_remotes_do_is_one_line_for_any_number_of_them() -> None:
    assert states_line({"a-0": "ready", "a-1": "booting"}) == "a-0: ready, a-1: booting"
    many = {f"a-{number}": "ready" if number < 7 else "creating" for number in range(50)}
    assert states_line(many) == "7 ready, 43 creating"
