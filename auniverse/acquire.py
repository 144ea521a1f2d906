"""Remotes and a pool on them in one go: what every synchronous face stands on."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from auniverse.address import Remote, parse_remotes
from auniverse.errors import UnknownEnvError, UsageError
from auniverse.remotes import provide, read_started
from auniverse.rfb import LEVELS, Encoding, level
from auniverse.runtimes import Env
from auniverse.runtimes import env as find_env
from auniverse.vector import SessionPool

#: A number of remotes to start, addresses of running ones, or a list of them (`remotes.provide`).
Spec = int | str | Sequence[Remote]

#: The environment variable that says which remotes to take where the program does not.
REMOTES_VARIABLE = "GYM_VNC_REMOTES"

_ENCODINGS = {
    name: Encoding[name.upper()]
    for name in ("raw", "tight", "zrle", "zlib", "hextile", "rre", "corre", "trle")
}


def default_spec(number: int) -> Spec:
    """Return which remotes to take where nobody says: what the variable says, else `number`."""
    return os.environ.get(REMOTES_VARIABLE) or number


def count_remotes(spec: Spec) -> int:
    """Return how many remotes a specification stands for, without starting any.

    Raises:
        AddressError: An address in it cannot be read.
        UsageError: It says nothing about remotes.
    """
    if isinstance(spec, str) and spec.lower().startswith(("vnc://", "vnc+")):
        return len(parse_remotes(spec))
    if isinstance(spec, int | str):
        started = read_started(spec)
        if started is None:  # a text may hold a password, so it is not shown
            raise UsageError("remotes= is a number, 'docker:4', 'vnc://host:5900+15900' or a list")
        return started.n
    return len(spec)


def starts_remotes(spec: Spec) -> bool:
    """Tell whether the specification asks for remotes to be started."""
    return isinstance(spec, int) or read_started(spec) is not None


def catalogued(env_id: str | None, spec: Spec) -> Env | None:
    """Return what the catalogue knows of an environment; None: the remote has to say it.

    Raises:
        UnknownEnvError: Nobody knows it, and so nothing that runs it can be started.
        UsageError: No environment is named, and so nothing can be started.
    """
    try:
        if env_id is not None:
            return find_env(env_id)
    except UnknownEnvError:
        if starts_remotes(spec):
            raise
    if starts_remotes(spec):
        raise UsageError("say which env_id to play, or give the addresses of running remotes")
    return None


def check_fps(fps: float | str | None) -> None:
    """Refuse what is no rate.

    Raises:
        UsageError: It is neither a number above 0, nor None, nor "default".
    """
    if fps is None or fps == "default":
        return
    if not isinstance(fps, int | float) or not fps > 0:
        raise UsageError(f"fps={fps!r}: steps a second, above 0, None or 'default'")


def encodings_from(vnc_kwargs: Mapping[str, Any]) -> list[int]:
    """Turn Universe's `vnc_kwargs` into RFB encodings, the preferred one first.

    `encoding` is a name ("raw", "tight", "zrle", ...); `compress_level` and `quality_level` are 0
    to 9, `fine_quality_level` 0 to 100, `subsample_level` 0 to 3, and -1 says nothing, as it did.
    Where JPEG cannot be decoded, levels of quality change nothing: none is asked for.
    `start_timeout` is said elsewhere here.

    Raises:
        UsageError: An option, a level or an encoding that is not supported; the message names it.
    """
    options = {key: value for key, value in vnc_kwargs.items() if value is not None}
    options.pop("start_timeout", None)
    name = options.pop("encoding", "tight")
    levels = {key: options.pop(key) for key in LEVELS if key in options}
    if options:
        raise UsageError(f"vnc_kwargs: {', '.join(options)} not supported")
    if name not in _ENCODINGS:
        raise UsageError(f"vnc_kwargs: encoding {name!r} is none of {', '.join(_ENCODINGS)}")
    first = _ENCODINGS[name]
    always = (Encoding.COPY_RECT, Encoding.RAW, Encoding.DESKTOP_SIZE, Encoding.FENCE)
    chosen: list[int] = [first, *(encoding for encoding in always if encoding != first)]
    chosen.append(Encoding.FRAME)
    return chosen + [level(key, value) for key, value in levels.items() if value != -1]


def remotes_for(
    env_id: str | None,
    spec: Spec,
    *,
    screen: str = "1024x768",
    start_timeout: float | None = None,
    client_id: str | None = None,
    docker_image: str | None = None,
) -> AbstractAsyncContextManager[Sequence[Remote]]:
    """Get the remotes that a specification stands for, to play `env_id` (see `remotes.provide`).

    Args:
        env_id: What they play; None: what the running ones run.
        spec: Which.
        screen: The size of the screens of those that are started.
        start_timeout: Seconds for those that are started to boot.
        client_id: Whose they are: containers are kept for it (see `auniverse.remotes.launch`).
        docker_image: Takes the place of their runtime's image.

    Raises:
        UsageError: An argument is wrong (at once).
        ProvisionError: A remote did not start (on entering the context).
    """
    env = catalogued(env_id, spec)
    return provide(
        spec,
        runtime=env.runtime if env else "",
        env_id=env_id,
        screen=screen,
        timeout=start_timeout,
        client_id=client_id,
        docker_image=docker_image,
    )


def session_options(
    *, start_timeout: float | None = None, vnc_kwargs: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Turn options that faces take into options that sessions take.

    Args:
        start_timeout: Seconds for each remote to answer.
        vnc_kwargs: See `encodings_from`.

    Raises:
        UsageError: Something in `vnc_kwargs` is not supported.
    """
    options: dict[str, Any] = {}
    if start_timeout is not None:
        options["timeout"] = start_timeout
    if vnc_kwargs:
        options["encodings"] = encodings_from(vnc_kwargs)
    return options


@asynccontextmanager
async def open_pool(
    spec: Spec,
    *,
    env_id: str | None,
    screen: str = "1024x768",
    start_timeout: float | None = None,
    vnc_kwargs: Mapping[str, Any] | None = None,
    client_id: str | None = None,
    docker_image: str | None = None,
    **options: Any,
) -> AsyncIterator[SessionPool]:
    """Get remotes, and open a pool on them; on leaving both end, in reverse.

    Args:
        spec: Which remotes.
        env_id: What they play.
        screen: See `remotes_for`.
        start_timeout: See `remotes_for` and `session_options`.
        vnc_kwargs: See `session_options`.
        client_id: See `remotes_for`.
        docker_image: See `remotes_for`.
        options: What else `SessionPool` takes.

    Raises:
        UsageError: An argument is wrong.
        ProvisionError: A remote did not start.
        RemoteError: None of the remotes could be reached.
    """
    options |= session_options(start_timeout=start_timeout, vnc_kwargs=vnc_kwargs)
    async with (
        remotes_for(
            env_id,
            spec,
            screen=screen,
            start_timeout=start_timeout,
            client_id=client_id,
            docker_image=docker_image,
        ) as remotes,
        SessionPool(remotes, env_id=env_id, **options) as pool,
    ):
        yield pool
