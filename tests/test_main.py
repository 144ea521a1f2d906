from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_the_module_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "auniverse", "--help"],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout
