"""How commands speak to people: names and values on stdout, an error as one line on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterable
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


def print_rows(rows: Iterable[tuple[str, str]]) -> None:
    """Print names and values, for people; brackets in them are brackets, not markup."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, value)
    Console(markup=False).print(table)


def _end(error: AuniverseError) -> NoReturn:
    typer.echo(f"auniverse: {error}", err=True)
    raise typer.Exit(exit_code(error)) from error


def exit_code(error: AuniverseError) -> int:
    """Return the exit code for an error."""
    return next((code for kind, code in EXIT_CODES if isinstance(error, kind)), 1)


def _first(group: BaseExceptionGroup[AuniverseError]) -> AuniverseError:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
