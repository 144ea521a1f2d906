"""`auniverse cluster down`: a cluster with all that belongs to it, deleted."""

from __future__ import annotations

from typing import Annotated

import typer

from auniverse.errors import UsageError

from .options import AsJson, Region, StackName, ask, print_json, tell


def down(
    stack: StackName,
    region: Region = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete a cluster: its machines, their disks, and all else that `up` made."""
    from auniverse import cluster
    from auniverse.links import run as run_loop

    async def work() -> list[str]:
        cloud = cluster.Cloud(region)
        found = await cluster.the_stack(cloud, stack)
        live = [each for each in await cluster.machines(cloud, found) if each.is_live]
        question = f"Delete {found.name} in {cloud.region}, with its {len(live)} machines?"
        if not yes and not ask(question):
            raise UsageError("nothing was deleted: answer yes, or give --yes")
        return await cluster.take_down(cloud, stack, tell)

    gone = run_loop(work())
    if as_json:
        print_json({"deleted": gone})
    else:
        typer.echo(f"Deleted: {', '.join(gone)}")
