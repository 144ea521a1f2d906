"""What holds for all tests: those marked `apt` or `docker` need more than Python; CI has it.

Only those marked `docker` see the engine: to all others there is none, so that what they start is
processes, wherever they run.
"""

from __future__ import annotations

import os

import pytest

from .engine import VARIABLE, why_not
from .programs import missing_packages


def pytest_runtest_setup(item: pytest.Item) -> None:
    docker = item.get_closest_marker("docker") is not None
    os.environ["DOCKER_HOST"] = os.environ.get(VARIABLE, "") if docker else "unix:///no/engine"
    lacks = why_not() if docker else ""
    if item.get_closest_marker("apt") is not None and (packages := missing_packages()):
        lacks = f"needs Debian packages: apt-get install {' '.join(packages)}"
    if lacks:
        verdict = pytest.fail if os.environ.get("CI") else pytest.skip
        verdict(lacks)
