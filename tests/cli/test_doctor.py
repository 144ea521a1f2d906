from __future__ import annotations

import json

import numpy as np
import pytest

from auniverse.cli.doctor import (
    SELF_TEST,
    decoders,
    examine,
    print_findings,
    rows,
    versions,
)
from auniverse.rfb import native_available

from .command import auniverse


def test_json_says_what_is_there_and_that_a_remote_comes_up() -> None:
    run = auniverse("doctor", "--json")
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert found["packages"]["numpy"] == np.__version__
    assert found["self_test"]["ok"] is True
    assert found["self_test"]["screen"] == [768, 1024, 3]
    assert found["decoders"]["chosen"] == ("native" if native_available() else "numpy")


def test_docker_is_looked_for_where_it_is_said_to_be(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}")
    assert examine()["docker"] == {"socket": str(tmp_path), "present": True}
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none")
    assert examine()["docker"]["present"] is False


def test_what_is_missing_is_said_with_the_remedy() -> None:
    found = examine()
    found["self_test"] = {"env_id": SELF_TEST, "ok": False, "error": "no game"}
    found["extras"]["video"] = False
    lines = dict(rows(found))
    assert lines["extra video"] == "missing: pip install 'auniverse[video]'"
    assert lines["self-test"] == "FAILED: no game"


def decoder_line(**found: object) -> str:
    everything = examine() | {"self_test": {"ok": False, "error": ""}}
    everything["decoders"] |= found
    return dict(rows(everything))["decoder"]


def test_which_decoder_and_what_it_is_linked_with() -> None:
    line = decoder_line(native=True, jpeg="libjpeg-turbo")
    assert line == "native: compiled, libjpeg-turbo"
    assert "libturbojpeg0-dev" in decoder_line(native=True, jpeg="")
    line = decoder_line(native=False)
    assert line.startswith("numpy: ")
    assert "libturbojpeg0-dev" in line


def test_a_decoder_may_be_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUNIVERSE_DECODER", "numpy")
    assert decoders()["chosen"] == "numpy"
    assert decoder_line().endswith("AUNIVERSE_DECODER=numpy chooses numpy")
    monkeypatch.setenv("AUNIVERSE_DECODER", "cobol")
    assert decoders()["chosen"] is None
    assert decoder_line().endswith("cobol names none that is here: connections fail")


def test_versions_of_what_is_not_there_are_none() -> None:
    assert versions("numpy", "no-such-package") == {
        "python": versions()["python"],
        "numpy": np.__version__,
        "no-such-package": None,
    }


def test_the_table_shows_brackets_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    found = examine() | {"self_test": {"ok": False, "error": "no answer at vnc://[::1]:5900"}}
    found["extras"]["video"] = False
    print_findings(found)
    printed = capsys.readouterr().out
    assert "auniverse[video]" in printed
    assert "[::1]" in printed
