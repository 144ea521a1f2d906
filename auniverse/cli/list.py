"""`auniverse list`: what there is to play."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Any

import typer

from auniverse.runtimes import Env, envs

ARROWS = {"ArrowLeft": "←", "ArrowUp": "↑", "ArrowRight": "→", "ArrowDown": "↓"}


def list_envs(
    runtime: Annotated[str | None, typer.Option(help="Only those of this runtime.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list on stdout.")] = False,
) -> None:
    """List the environments, and the keys that play them."""
    found = envs(runtime)
    if as_json:
        typer.echo(json.dumps([entry(env) for env in found], indent=1, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("id", no_wrap=True)
    for name in ("keys", "actions", "fps"):
        table.add_column(name)
    brought = [env for env in found if env.brought and runtime is None]
    for env in found:
        if env.brought and runtime is None:
            continue
        table.add_row(
            env.env_id,
            keys_text(env.keys, env.pointer),
            actions_text(env),
            f"{env.fps:g}",
        )
    Console(markup=False).print(table)
    for name, count in Counter(env.runtime for env in brought).items():
        typer.echo(
            f"{name}: {count} more, whose programs or pages you bring (--runtime {name} lists them)"
        )
    typer.echo(f"{len(found)} environments. More about one: auniverse info ID", err=True)


def entry(env: Env) -> dict[str, Any]:
    """Return what is known of an environment, as JSON values."""
    return {
        "id": env.env_id,
        "runtime": env.runtime,
        "title": env.title,
        "text": env.text,
        "keys": list(env.keys),
        "pointer": env.pointer,
        "press": env.press,
        "fps": env.fps,
        "actions": [list(keys) for keys in env.actions],
        "described": env.described,
        "brought": env.brought,
        "rewarded": env.rewarded,
    }


def keys_text(keys: Iterable[str], pointer: bool = False) -> str:
    """Return keys in few columns, arrows as arrows."""
    return " ".join([*(ARROWS.get(key, key) for key in keys), *(["pointer"] * pointer)])


def actions_text(env: Env) -> str:
    """Return how many actions there are, in a word."""
    if env.actions:
        return f"{len(env.actions)}, {env.press}"
    return f"vector, {env.press}" if env.described else "unknown"
