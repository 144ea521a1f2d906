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
from collections.abc import Iterator
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
            with tempfile.TemporaryDirectory(prefix="auniverse-engine-") as folder:
                yield from started(Path(folder))


def started(folder: Path) -> Iterator[str]:
    """Start an engine, give its address, end it."""
    DATA.mkdir(parents=True, exist_ok=True)
    engine = f"unix://{folder}/engine.sock"
    with (folder / "log").open("w") as log:
        daemon = subprocess.Popen(
            f"exec dockerd --host {engine} --data-root {DATA} --exec-root {folder}/run "
            f"--pidfile {folder}/pid",
            shell=True,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for the tests; it ends after them
        )
        try:
            waited = 0.0
            while not answers(engine) and daemon.poll() is None and waited < PATIENCE:
                waited += 0.2
                time.sleep(0.2)
            if not answers(engine):
                sys.stderr.write((folder / "log").read_text()[-2000:])
                engine = ""
            yield engine
        finally:
            docker(f"unix://{folder}/engine.sock", "network", "prune", "--force")
            daemon.send_signal(signal.SIGTERM)
            daemon.wait(PATIENCE)


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
