"""A container engine for the tests, and the image that the Dockerfiles begin with.

`python -m tests.engine COMMAND...` runs a command that can rely on an engine: the one that answers
already, else one started here (as root) and ended with the command. Without either the command runs
all the same; the tests marked `docker` then say why they are skipped, and in CI they fail.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .programs import ENGINE_PACKAGES, missing_packages

ROOT = Path(__file__).parent.parent
#: Where an engine of ours keeps its images between two runs; `make clean` removes it.
DATA = ROOT / ".venv" / "engine"
#: Two engines would fight over one bridge.
LOCK = Path(tempfile.gettempdir()) / "auniverse-engine.lock"
#: How tests are told where the engine is; DOCKER_HOST itself is hidden from those that need none.
VARIABLE = "AUNIVERSE_TEST_ENGINE"
#: The public image that the Dockerfiles name, and the release of Debian that it is.
BASE, RELEASE = "debian:bookworm-slim", "bookworm"
PATIENCE = 30.0
#: What the folder of an engine of ours is called, and its socket in there.
PREFIX, SOCKET = "auniverse-engine-", "engine.sock"


def why_not() -> str:
    """Return why the tests marked `docker` cannot run; "" if they can."""
    if os.environ.get(VARIABLE):
        return ""
    if missing := missing_packages(ENGINE_PACKAGES):
        return f"needs an engine: apt-get install {' '.join(missing)}"
    return "no engine answers, and starting one takes root: run `make test` as root"


def docker(engine: str, *arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    """Run the engine's own client against it."""
    command = ["docker", "--host", engine, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload,no-any-return]


def answers(engine: str) -> bool:
    """Tell whether an engine answers there."""
    if shutil.which("docker") is None:
        return False
    return docker(engine, "version", "--format", "{{.Server.Version}}").returncode == 0


@contextmanager
def running() -> Iterator[str]:
    """Give the address of an engine, "" if there is none and none can be started."""
    given = os.environ.get(VARIABLE) or os.environ.get("DOCKER_HOST")
    given = given or "unix:///var/run/docker.sock"
    if answers(given):
        yield given
    elif shutil.which("dockerd") is None or os.geteuid() != 0:
        yield ""
    else:
        with LOCK.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with tempfile.TemporaryDirectory(prefix=PREFIX) as folder:
                yield from started(Path(folder))


def started(folder: Path) -> Iterator[str]:
    """Start an engine, give its address ("" if it does not answer), end it."""
    DATA.mkdir(parents=True, exist_ok=True)
    try:
        if start(folder):
            yield f"unix://{folder}/{SOCKET}"
        else:
            sys.stderr.write((folder / "log").read_text()[-2000:])
            yield ""
    finally:
        docker(f"unix://{folder}/{SOCKET}", "network", "prune", "--force")
        stop(folder, signal.SIGTERM)


def start(folder: Path, *options: str) -> bool:
    """Start the engine of a folder; return whether it answers.

    It belongs to nobody, so that a test may stop it and start another one; and Ctrl-C is for the
    tests, after which it ends.
    """
    where = ("--host", f"unix://{folder}/{SOCKET}", "--pidfile", folder / "pid")
    places = ("--data-root", DATA, "--exec-root", folder / "run")
    with (folder / "log").open("a") as log:
        subprocess.run(
            ["setsid", "--fork", "dockerd", *where, *places, *options],
            stdout=log,
            stderr=log,
            check=True,
        )
    return waited_for(lambda: answers(f"unix://{folder}/{SOCKET}"))


def stop(folder: Path, number: signal.Signals) -> None:
    """End the engine of a folder by a signal, and wait until it is gone."""
    # Its containerd ends with it, but not before it; and either would be kept out by an old file.
    files = [folder / "pid", folder / "run" / "containerd" / "containerd.pid"]
    pids = [int(file.read_text()) for file in files if file.exists()]
    if pids:
        os.kill(pids[0], number)
    assert waited_for(lambda: all(map(has_ended, pids))), f"an engine does not end: {pids}"
    for file in files:
        file.unlink(missing_ok=True)


def has_ended(pid: int) -> bool:
    """Tell whether a process has ended, though perhaps nobody has taken note of it."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state in "ZX"


def waited_for(condition: Callable[[], bool]) -> bool:
    """Wait for a condition; return whether it came."""
    patience = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > patience:
            return False
        time.sleep(0.1)
    return True


def own_folder(engine: str) -> Path | None:
    """Return the folder of an engine if it was started here, and may be stopped by a test."""
    folder = Path(engine.removeprefix("unix://")).parent
    return folder if folder.name.startswith(PREFIX) else None


def provide_base(engine: str) -> None:
    """Make the image that the Dockerfiles begin with, where no registry has been asked for it."""
    if docker(engine, "image", "inspect", BASE).returncode == 0:
        return
    with tempfile.TemporaryDirectory(prefix="auniverse-base-") as folder:
        root = Path(folder) / "root"
        subprocess.run(
            ["debootstrap", "--variant=minbase", RELEASE, root], check=True, capture_output=True
        )
        shutil.rmtree(root / "var/lib/apt/lists")
        for package in (root / "var/cache/apt/archives").glob("*.deb"):
            package.unlink()
        subprocess.run(
            f"tar -C {root} -c . | docker --host {engine} import -c 'CMD [\"bash\"]' - {BASE}",
            shell=True,
            check=True,
            capture_output=True,
        )


def main() -> int:
    """Run a command with an engine; return its exit status."""
    with running() as engine:
        return subprocess.run(
            sys.argv[1:], env={**os.environ, VARIABLE: engine}, check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
