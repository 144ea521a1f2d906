"""Where remotes come from: started on this machine, or given by address.

`launch` starts some; `provide` reads what a caller said about them (a number, an address, ...) and
starts them or not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import cast

from auniverse.address import Remote, parse_remotes
from auniverse.errors import UsageError
from auniverse.runtimes import env as find_env
from auniverse.runtimes import runtime as find_runtime

from . import process
from .fleet import Fleet, Keeper

__all__ = ["BACKENDS", "Fleet", "Keeper", "launch", "provide"]

#: What starts remotes, by the name that `launch` and `provide` know it by. Each takes (runtime, n,
#: *, env_id, screen, lease, timeout) and gives a context manager around a `Fleet`.
BACKENDS: Mapping[str, Callable[..., AbstractAsyncContextManager[Fleet]]] = {
    "process": process.launch,
}

_FORMS = (
    "a number of remotes to start (4 or '4'), with the backend if you like "
    f"({' or '.join(f'{name}:4' for name in BACKENDS)!r}), "
    "addresses ('vnc://host:5900+15900,...'), or a list of Remote"
)
_COUNT = re.compile(r"(?:(?P<backend>[a-z]+):)?(?P<n>[0-9]{1,6})")
_SCREEN = re.compile(r"native|[1-9][0-9]{0,4}x[1-9][0-9]{0,4}")


def launch(
    runtime: str,
    n: int = 1,
    *,
    backend: str = "process",
    env_id: str | None = None,
    screen: str = "1024x768",
    lease: float | None = 60.0,
    timeout: float = 60.0,
) -> AbstractAsyncContextManager[Fleet]:
    """Start `n` remotes that run for as long as the context lasts.

    Args:
        runtime: What they run, a name of `runtimes.yml`.
        n: How many, 1 or more.
        backend: What starts them, a name of `BACKENDS`.
        env_id: The environment to begin with; None: the first reset says.
        screen: The size of their screens in pixels, such as "1024x768", or "native".
        lease: Seconds without any client, after which a remote ends itself; None: never.
        timeout: Seconds that each may take to boot.

    Returns:
        An async context manager; it gives the remotes, named "gym-core-0" and so on.

    Raises:
        UsageError: An argument is wrong (at once), such as an `UnknownRuntimeError`.
        ProvisionError: A remote did not start (on entering the context).
    """
    if backend not in BACKENDS:
        raise UsageError(f"there is no backend {backend!r}; there are: {', '.join(BACKENDS)}")
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise UsageError(f"the number of remotes must be 1 or more, not {n!r}")
    found = find_runtime(runtime)
    if env_id is not None and find_env(env_id).runtime != found.name:
        raise UsageError(f"{env_id} does not run on {runtime}")
    if not _SCREEN.fullmatch(screen):
        raise UsageError(f"screen must be like '1024x768', or 'native', not {screen!r}")
    for name, seconds in {"lease": lease, "timeout": timeout}.items():
        if seconds is not None and not seconds > 0:
            raise UsageError(f"{name} must be more than 0 seconds, not {seconds!r}")
    return BACKENDS[backend](runtime, n, env_id=env_id, screen=screen, lease=lease, timeout=timeout)


def provide(
    spec: int | str | Sequence[Remote],
    *,
    runtime: str,
    env_id: str | None = None,
    screen: str = "1024x768",
    lease: float | None = 60.0,
    timeout: float = 60.0,
) -> AbstractAsyncContextManager[Fleet]:
    """Give the remotes that `spec` stands for; those that it starts end with the context.

    Args:
        spec: How many to start (`4`, `"4"`, `"process:4"`), the addresses of running ones
            (`"vnc://host:5900+15900,..."`), or a list of them. Running ones are left alone, and
            the other arguments do not matter to them.
        runtime: As for `launch`, and so are `env_id`, `screen`, `lease` and `timeout`.
        env_id: See there.
        screen: See there.
        lease: See there.
        timeout: See there.

    Raises:
        UsageError: `spec` is none of these, or something of it is wrong (at once).
        ProvisionError: A remote did not start (on entering the context).
    """
    count = _COUNT.fullmatch(str(spec)) if isinstance(spec, int | str) else None
    if count is not None and not isinstance(spec, bool):
        return launch(
            runtime,
            int(count["n"]),
            backend=count["backend"] or "process",
            env_id=env_id,
            screen=screen,
            lease=lease,
            timeout=timeout,
        )
    if isinstance(spec, str) and spec.lower().startswith("vnc://"):
        return nullcontext(Fleet(parse_remotes(spec)))
    if isinstance(spec, Sequence) and spec and all(isinstance(item, Remote) for item in spec):
        return nullcontext(Fleet(cast(Sequence[Remote], spec)))
    # A text may hold a password, so it is not shown.
    shown = repr(spec) if isinstance(spec, int) else f"this {type(spec).__name__}"
    raise UsageError(f"{shown} does not say which remotes; give {_FORMS}")
