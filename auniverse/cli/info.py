"""`auniverse info`: everything known about one environment."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from auniverse.runtimes import env, runtime

from .list import entry, keys_text


def info(
    env_id: Annotated[str, typer.Argument(help="Such as gym-core.Pong-v5.")],
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object on stdout.")] = False,
) -> None:
    """Show how one environment is played, and what runs it."""
    found = env(env_id)
    runs = runtime(found.runtime)
    if as_json:
        about_runtime = {"name": runs.name, "title": runs.title, "kind": runs.kind}
        about = {**entry(found), "runtime_info": about_runtime}
        typer.echo(json.dumps(about, indent=1, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column()
    table.add_row("id", found.env_id)
    table.add_row("title", found.title)
    table.add_row("runtime", f"{runs.name}: {runs.title}")
    if not found.described:
        table.add_row("", "not in the catalogue: the remote describes it once it runs")
        Console(markup=False).print(table)
        return
    table.add_row("fps", f"{found.fps:g}")
    table.add_row("keys", keys_text(found.keys, found.pointer))
    table.add_row("press", PRESSES[found.press])
    for number, keys in enumerate(found.actions):
        table.add_row(f"action {number}", keys_text(keys) or "no key")
    if found.text:
        table.add_row("text", "the remote also says in words what is to be seen or done")
    Console(markup=False).print(table)


PRESSES = {
    "hold": "hold: a key counts in every frame while it is down",
    "tap": "tap: each press is one turn",
}
