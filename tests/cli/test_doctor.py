from __future__ import annotations

import json

import numpy as np
import pytest

from auniverse.cli.doctor import SELF_TEST, examine, rows, versions

from .command import auniverse


def test_json_says_what_is_there_and_that_a_remote_comes_up() -> None:
    run = auniverse("doctor", "--json")
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert found["packages"]["numpy"] == np.__version__
    assert found["self_test"]["ok"] is True
    assert found["self_test"]["screen"] == [768, 1024, 3]
    assert found["decoders"].startswith("numpy decoders;")


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


def test_versions_of_what_is_not_there_are_none() -> None:
    assert versions("numpy", "no-such-package") == {
        "python": versions()["python"],
        "numpy": np.__version__,
        "no-such-package": None,
    }
