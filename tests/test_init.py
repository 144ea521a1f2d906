from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import auniverse

ROOT = Path(__file__).parent.parent
HEAVY = ("aiodocker", "cryptography", "gymnasium", "numpy", "websockets", "yaml")


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )


def modules_after(statement: str) -> set[str]:
    return set(python("-c", f"{statement}\nimport sys\nprint(*sys.modules)").stdout.split())


def test_every_name_is_there() -> None:
    for name in auniverse.__all__:
        assert getattr(auniverse, name) is not None
    assert dir(auniverse) == sorted(auniverse.__all__)
    assert auniverse.make is auniverse.RemoteEnv
    with pytest.raises(AttributeError, match="no attribute 'universe'"):
        _ = auniverse.universe


def test_the_door_is_lazy() -> None:
    imported = modules_after("import auniverse")
    ours = {name for name in imported if name.startswith("auniverse")}
    assert ours == {"auniverse", "auniverse.registration"}
    assert not imported & {*HEAVY, "asyncio"}


@pytest.mark.parametrize(
    ("statement", "without"),
    [
        ("import auniverse.rfb", {"gymnasium", "aiodocker", "cryptography", "asyncio"}),
        ("import auniverse.rewarder", {"gymnasium", "aiodocker", "cryptography", "asyncio"}),
        ("from auniverse import Remote, errors", {"gymnasium", "numpy", "asyncio"}),
        ("from auniverse import SessionPool", {"aiodocker", "cryptography"}),
        ("from auniverse import RemoteEnv", {"aiodocker", "cryptography", "pygame"}),
    ],
)
def test_rooms_bring_only_what_they_need(statement: str, without: set[str]) -> None:
    assert not modules_after(statement) & without


def test_importing_costs_little() -> None:
    """Not a timing of this machine's, but of its share: a tenth of a second on a slow one."""
    lines = python("-X", "importtime", "-c", "import auniverse").stderr.splitlines()
    (line,) = (line for line in lines if re.search(r"\| auniverse$", line))
    assert int(line.split("|")[1]) < 100_000  # microseconds, ours and all that we import


def test_the_version_is_the_packages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert auniverse.__version__ == project["version"]
