"""`auniverse info`: everything known about one environment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated

import typer

from auniverse.runtimes import Env, Runtime, env, runtime

from .list import entry, keys_text
from .report import print_rows


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
    print_rows(rows(found, runs))


def rows(found: Env, runs: Runtime) -> Iterator[tuple[str, str]]:
    """Yield the lines for people: name and value."""
    yield "id", found.env_id
    yield "title", found.title
    yield "runtime", f"{runs.name}: {runs.title}"
    if not found.described:
        yield "", "not in the catalogue: the remote describes it once it runs"
        return
    yield "fps", f"{found.fps:g}"
    yield "keys", keys_text(found.keys, found.pointer)
    yield "press", PRESSES[found.press]
    for number, keys in enumerate(found.actions):
        yield f"action {number}", keys_text(keys) or "no key"
    if found.brought:
        yield "brought", "by you: the program, or the page"
    yield "rewarded", REWARDS[found.brought, found.rewarded]
    if found.text:
        yield "text", "the remote also says in words what is to be seen or done"


REWARDS = {
    (False, True): "yes",
    (False, False): "no, unless you say what earns one",
    (True, True): "it was in Universe; here as you say",
    (True, False): "it was not in Universe; here as you say",
}
PRESSES = {
    "hold": "hold: a key counts in every frame while it is down",
    "tap": "tap: each press is one turn",
}
