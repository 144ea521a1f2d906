from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from auniverse.cli import app
from auniverse.cli.report import INTERRUPTED

from .command import CARTPOLE, COMMAND, auniverse

COMMANDS = ("list", "info", "run", "serve", "demo", "doctor")


def test_help_names_every_command() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    assert all(f" {command} " in result.stdout for command in COMMANDS)


def test_help_of_every_command_names_its_options() -> None:
    for command in COMMANDS:
        result = CliRunner().invoke(app, [command, "--help"])
        assert result.exit_code == 0, command
        assert "--help" in result.stdout


def test_a_start_imports_nothing_heavy() -> None:
    heavy = ("PIL", "ale_py", "asyncio", "av", "gymnasium", "numpy", "rich", "websockets")
    code = f"import sys, auniverse.cli; print(*(m for m in {heavy!r} if m in sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


def test_a_wrong_option_ends_with_2() -> None:
    run = auniverse("run", "gym-core.Pong-v5", "--fps", "many")
    assert run.returncode == 2
    assert "--fps" in run.stderr
    assert run.stdout == ""


@pytest.mark.parametrize("shell", [(), ("sh", "-c", "trap '' INT; exec \"$@\"", "sh")])
def test_a_terminated_command_ends_in_order(shell: tuple[str, ...]) -> None:
    """Also where Ctrl-C is ignored, as scripts have it for what they run in the background."""
    command = (*shell, *COMMAND, "run", CARTPOLE, "--seconds", "60", "--stats-every", "0.2")
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as run:
        assert run.stderr is not None
        next(line for line in run.stderr if line.startswith("{"))
        children = Path(f"/proc/{run.pid}/task").glob("*/children")
        hosts = [pid for listed in children for pid in listed.read_text().split()]
        run.terminate()
        run.stderr.read()
        assert run.wait(30) == INTERRUPTED
    assert hosts
    assert not any(Path(f"/proc/{host}").exists() for host in hosts)
