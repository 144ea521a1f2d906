"""The tutorial docs/your-own-program.md does what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "your-own-program.md").read_text()


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.apt
def test_the_program_in_twenty_lines(tmp_path: Path) -> None:
    settings = block("yaml")
    assert len(settings.splitlines()) <= 20
    (tmp_path / "mine.yml").write_text(settings)
    done = subprocess.run(
        [sys.executable, "-c", block("python")],
        cwd=tmp_path,
        env={**os.environ, "AUNIVERSE_RUNTIMES": "mine.yml"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "1.0\n"
