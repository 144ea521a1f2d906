"""What holds for all tests: those marked `apt` or `docker` need more than Python; CI has it.

Only those marked `docker` see the engine: to all others there is none, so that what they start is
processes, wherever they run.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .engine import LOCK, VARIABLE, provide_base, why_not
from .programs import missing_packages


def pytest_configure() -> None:
    # A shell that runs us in the background has us ignore Ctrl-C, and with us all that tests start.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_runtest_setup(item: pytest.Item) -> None:
    docker = item.get_closest_marker("docker") is not None
    os.environ["DOCKER_HOST"] = os.environ.get(VARIABLE, "") if docker else "unix:///no/engine"
    lacks = why_not() if docker else ""
    if item.get_closest_marker("apt") is not None and (packages := missing_packages()):
        lacks = f"needs Debian packages: apt-get install {' '.join(packages)}"
    if lacks:
        verdict = pytest.fail if os.environ.get("CI") else pytest.skip
        verdict(lacks)


#: Set up once for all workers: seconds for the base image and for gym-core.
PATIENCE = 900


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # The test that restarts the engine is the last of its group: the others want one that stays.
    items.sort(key=lambda item: item.name.startswith("test_an_engine_that_is_restarted"))
    for item in items:
        if item.get_closest_marker("docker"):  # the first builds the image, the others wait
            item.add_marker(pytest.mark.timeout(PATIENCE))


@pytest.fixture(autouse=True)
def alone(request: pytest.FixtureRequest) -> Iterator[None]:
    """One test at a time has the engine: they count its containers."""
    if request.node.get_closest_marker("docker") is None:
        yield
        return
    with LOCK.with_suffix(".tests").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def image() -> str:
    """The image of gym-core, built by the program as a user would."""
    engine = os.environ[VARIABLE]
    with LOCK.with_suffix(".image").open("w") as lock:  # one worker builds, the others wait
        fcntl.flock(lock, fcntl.LOCK_EX)
        provide_base(engine)
        done = subprocess.run(
            [Path(sys.executable).with_name("auniverse"), "build", "gym-core"],
            env={**os.environ, "DOCKER_HOST": engine},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return "auniverse/gym-core:1"


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user of one's own: nothing that others keep is seen."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
