"""What holds for all tests: those marked `apt` are skipped without their programs; CI fails."""

from __future__ import annotations

import os

import pytest

from .programs import missing_packages


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("apt") is None:
        return
    if packages := missing_packages():
        verdict = pytest.fail if os.environ.get("CI") else pytest.skip
        verdict(f"needs Debian packages: apt-get install {' '.join(packages)}")
