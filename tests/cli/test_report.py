from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from auniverse.cli.report import reported
from auniverse.errors import (
    AuniverseError,
    ConnectError,
    MissingDependencyError,
    RemoteNotReadyError,
    UnknownEnvError,
)


def invoke(error: BaseException | None) -> tuple[int, str]:
    def command(times: int = 1) -> None:
        """Fail."""
        if error is not None:
            raise error

    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(reported(command))
    result = CliRunner().invoke(app, ["--times", "3"])
    return result.exit_code, result.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UnknownEnvError("no such thing"), 2),
        (MissingDependencyError("no such thing"), 3),
        (RemoteNotReadyError("no such thing"), 3),
        (ConnectError("no such thing"), 4),
        (AuniverseError("no such thing"), 1),
        (ExceptionGroup("", [ExceptionGroup("", [ConnectError("no such thing")])]), 4),
    ],
)
def test_an_error_is_one_line_and_a_code(error: Exception, code: int) -> None:
    assert invoke(error) == (code, "auniverse: no such thing\n")


def test_success_says_nothing() -> None:
    assert invoke(None) == (0, "")


def test_ctrl_c_ends_with_130() -> None:
    assert invoke(KeyboardInterrupt()) == (130, "")


@pytest.mark.parametrize(
    "error", [ZeroDivisionError(), ExceptionGroup("", [ConnectError("x"), ZeroDivisionError()])]
)
def test_a_bug_keeps_its_traceback(error: Exception) -> None:
    app = typer.Typer(pretty_exceptions_enable=False)

    @app.command()
    @reported
    def command() -> None:
        raise error

    assert CliRunner().invoke(app, []).exception is error
