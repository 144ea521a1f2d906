"""`auniverse serve`: one remote in the foreground, for whoever has its address."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auniverse.errors import ProvisionError, UsageError

if TYPE_CHECKING:
    from auniverse.address import Remote

#: Random bytes of a password. VNC looks at its first 8 characters only, and so many they make.
PASSWORD_BYTES = 6


def serve(
    runtime: Annotated[str, typer.Argument(help="What runs, such as gym-core.")],
    env_id: Annotated[
        str | None, typer.Option(help="What it begins with.  [default: what a client asks for]")
    ] = None,
    vnc_port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 5900,
    rewarder_port: Annotated[
        int, typer.Option(min=0, max=65535, help="0 takes a free one.")
    ] = 15900,
    password: Annotated[
        str | None,
        typer.Option(help="For both ports; Universe's was 'openai'.  [default: a random one]"),
    ] = None,
    bind: Annotated[str, typer.Option(help="The address of both ports.")] = "127.0.0.1",
    screen: Annotated[str, typer.Option(help="WIDTHxHEIGHT, or 'native'.")] = "1024x768",
    lease: Annotated[
        float | None, typer.Option(min=0, help="End after so many seconds without a client.")
    ] = None,
    tls_cert: Annotated[
        str | None, typer.Option(help="A certificate in PEM: nothing passes outside TLS.")
    ] = None,
    tls_key: Annotated[str | None, typer.Option(help="The key of the certificate.")] = None,
) -> None:
    """Serve one remote until Ctrl-C, and say how to reach it."""
    import asyncio
    import secrets

    from auniverse.host import Certificate, ProgramFailed
    from auniverse.host import serve as serve_remote

    chosen = secrets.token_urlsafe(PASSWORD_BYTES) if password is None else password

    if (tls_cert is None) != (tls_key is None):
        raise UsageError("--tls-cert and --tls-key are given together or not at all")
    certificate = Certificate.load(tls_cert, tls_key) if tls_cert and tls_key else None

    def ready(remote: Remote) -> None:
        if password is None:
            more = "&" if remote.route.query() else "?"
            typer.echo(f"{remote}{more}password={chosen}", err=True)
        else:
            typer.echo(str(remote))

    serving = serve_remote(
        runtime,
        env_id=env_id,
        vnc_port=vnc_port,
        rewarder_port=rewarder_port,
        password=chosen,
        bind=bind,
        screen=screen,
        lease=lease,
        certificate=certificate,
        ready=ready,
    )
    try:
        asyncio.run(_until_terminated(serving))
    except asyncio.CancelledError:
        return  # SIGTERM
    except (OSError, ProgramFailed) as error:
        raise ProvisionError(f"cannot serve {runtime}: {error}") from error


async def _until_terminated(serving: Coroutine[Any, Any, None]) -> None:
    """Await `serving`; SIGTERM ends it in order, as Ctrl-C does."""
    import asyncio
    import signal

    this = asyncio.current_task()
    assert this is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    await serving
