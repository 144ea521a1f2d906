"""`auniverse ps`: the containers that are ours."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from .engine import ask_engine

if TYPE_CHECKING:
    from auniverse.remotes import docker

COLUMNS = ("address", "runtime", "client_id", "slot", "status", "in_use", "name")


def ps(
    as_json: Annotated[
        bool, typer.Option("--json", help="A JSON list on stdout, with addresses and passwords.")
    ] = False,
) -> None:
    """List the containers that were started here, whichever process did."""
    from auniverse.remotes import docker

    found = ask_engine(docker.list_kept)
    if as_json:
        typer.echo(json.dumps([kept._asdict() for kept in found], indent=1))
    else:
        print_kept(found)


def print_kept(found: list[docker.Kept]) -> None:
    """Print containers as a table for people."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in COLUMNS:
        table.add_column(column, overflow="fold")
    for kept in found:
        row = kept._asdict() | {"in_use": "yes" if kept.in_use else "no"}
        table.add_row(*(str(row[column]) for column in COLUMNS))
    Console(markup=False).print(table)
