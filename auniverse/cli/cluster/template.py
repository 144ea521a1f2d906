"""`auniverse cluster template`: what CloudFormation makes a cluster of."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import AsJson, Region, print_json


def template(
    network: Annotated[
        bool, typer.Option("--network", help="That of a network, for `up --network`.")
    ] = False,
    bucket: Annotated[
        str | None, typer.Option(help="Put it into this bucket of yours, and print a link.")
    ] = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Print the template of a cluster, or the link to AWS's page that launches it."""
    from auniverse import cluster
    from auniverse.links import run as run_loop

    text = cluster.network_template() if network else cluster.stack_template()
    if bucket is None:
        if as_json:
            print_json({"template": text})
        else:
            typer.echo(text, nl=False)
        return
    link = run_loop(cluster.publish(cluster.Cloud(region), bucket, text))
    if as_json:
        print_json({"link": link})
    else:
        typer.echo(link)
