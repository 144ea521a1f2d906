"""How commands end: an error of auniverse is one clear line on stderr and a telling exit code."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import NoReturn, ParamSpec

import typer

from auniverse.errors import AuniverseError, ProvisionError, RemoteError, UsageError

P = ParamSpec("P")

#: Whose fault it is, and the exit code that says so.
EXIT_CODES: tuple[tuple[type[AuniverseError], int], ...] = (
    (UsageError, 2),
    (ProvisionError, 3),
    (RemoteError, 4),
)
INTERRUPTED = 130  # as a shell reports SIGINT


def reported(command: Callable[P, None]) -> Callable[P, None]:
    """Wrap a command so that errors of auniverse and Ctrl-C end it in order.

    Errors that are no one's fault but ours keep their traceback.
    """

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except AuniverseError as error:
            _end(error)
        except BaseExceptionGroup as group:
            ours, others = group.split(AuniverseError)
            if ours is None or others is not None:
                raise
            _end(_first(ours))

    return run


def _end(error: AuniverseError) -> NoReturn:
    typer.echo(f"auniverse: {error}", err=True)
    raise typer.Exit(exit_code(error)) from error


def exit_code(error: AuniverseError) -> int:
    """Return the exit code for an error."""
    return next((code for kind, code in EXIT_CODES if isinstance(error, kind)), 1)


def _first(group: BaseExceptionGroup[AuniverseError]) -> AuniverseError:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
