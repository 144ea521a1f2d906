"""The command line, run as people run it: as a process."""

from __future__ import annotations

import subprocess
import sys

COMMAND = (sys.executable, "-m", "auniverse")
CARTPOLE = "gym-core.CartPole-v1"


def auniverse(*arguments: str, timeout: float = 50) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=timeout, check=False
    )
