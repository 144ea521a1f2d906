"""Where remotes come from: started on this machine, or given by address.

`launch` starts some; `provide` reads what a caller said about them (a number, an address, ...) and
starts them or not.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    nullcontext,
)
from typing import Any, cast

from auniverse.address import Remote, parse_remotes
from auniverse.errors import MissingDependencyError, ProvisionError, UsageError
from auniverse.runtimes import HOSTS, Runtime
from auniverse.runtimes import env as find_env
from auniverse.runtimes import runtime as find_runtime

from . import process
from .access import find_engine
from .fleet import Fleet, Keeper
from .spec import Started, read_started

__all__ = ["BACKENDS", "Fleet", "Keeper", "Started", "launch", "provide", "read_started"]

_log = logging.getLogger(__name__)
_said: set[str] = set()


def _docker(*arguments: Any, **options: Any) -> AbstractAsyncContextManager[Fleet]:
    from . import docker  # which takes longer to import than all the rest

    return docker.launch(*arguments, **options)


def _swarm(*arguments: Any, **options: Any) -> AbstractAsyncContextManager[Fleet]:
    from . import swarm

    return swarm.launch(*arguments, **options)


@asynccontextmanager
async def _automatic(runtime: str, n: int, **options: Any) -> AsyncIterator[Fleet]:
    """Containers where there are an engine and the image, else processes, and one line says so."""
    engine = _sign_of_engine()
    lacks = await _lacks(find_runtime(runtime), options["docker_image"], engine)
    if lacks and lacks not in _said:
        _said.add(lacks)
        # Who has an engine may have expected containers.
        level = logging.WARNING if engine else logging.INFO
        _log.log(level, "processes instead of containers: %s", lacks)
    if lacks:
        options = {key: options[key] for key in _EVERYWHERE}
    async with AsyncExitStack() as stack:
        start = BACKENDS["process" if lacks else "docker"](runtime, n, **options)
        try:
            fleet = await stack.enter_async_context(start)
        except MissingDependencyError as error:
            if not lacks:
                raise
            raise MissingDependencyError(f"{error}. Or containers, but {lacks}") from error
        yield fleet


def _sign_of_engine() -> bool:
    access = find_engine(os.environ)
    return access is not None and not access.is_missing


async def _lacks(runtime: Runtime, docker_image: str | None, engine: bool) -> str:
    """Return what containers would need that is not here; "": nothing, or there is no other way."""
    if docker_image is not None or runtime.host not in HOSTS:
        return ""
    if not engine:
        return "there is no container engine here"
    from . import docker

    try:
        async with docker.open_engine() as found:
            await docker.find_image(found, runtime)
    except ProvisionError as error:
        return str(error)
    return ""


#: What starts remotes, by the name that `launch` and `provide` know it by. Each takes (runtime, n,
#: *, env_id, screen, lease, timeout) and gives a context manager around a `Fleet`; docker takes
#: `client_id`, `docker_image` and `warm` as well, and swarm besides `manager` and `constraints`.
BACKENDS: Mapping[str, Callable[..., AbstractAsyncContextManager[Fleet]]] = {
    "process": process.launch,
    "docker": _docker,
    "swarm": _swarm,
}
_EVERYWHERE = ("env_id", "screen", "lease", "timeout")

_FORMS = (
    "a number of remotes to start (4 or '4'), with the backend if you like "
    f"({' or '.join(repr(f'{name}:4') for name in BACKENDS)}), "
    "addresses ('vnc://host:5900+15900,...'), or a list of Remote"
)
_CLIENT = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SCREEN = re.compile(r"native|[1-9][0-9]{0,4}x[1-9][0-9]{0,4}")


def launch(
    runtime: str,
    n: int = 1,
    *,
    backend: str = "process",
    env_id: str | None = None,
    screen: str = "1024x768",
    lease: float | None = 60.0,
    timeout: float | None = None,
    client_id: str | None = None,
    docker_image: str | None = None,
    warm: int = 0,
    manager: str = "",
    constraints: Sequence[str] = (),
    progress: Callable[[str, str], None] = lambda name, state: None,
) -> AbstractAsyncContextManager[Fleet]:
    """Start `n` remotes that run for as long as the context lasts.

    Args:
        runtime: What they run, a name of `runtimes.yml`.
        n: How many, 1 or more.
        backend: What starts them, a name of `BACKENDS`, or "": containers where there are an
            engine and the image, else processes.
        env_id: The environment to begin with; None: the first reset says.
        screen: The size of their screens in pixels, such as "1024x768", or "native".
        lease: Seconds without any client, after which a remote ends itself; None: never.
        timeout: Seconds that each may take to boot; None: as `runtimes.yml` says.
        client_id: Containers then go on when the context ends, and are taken again by the next
            launch with the same id (see `docs/docker.md`); processes are not kept.
        docker_image: Takes the place of the runtime's image; containers only.
        warm: So many more containers are kept ready to take the place of others.
        manager: Of which swarm, such as "ssh://me@host:22"; "": of the engine's own. Swarms only.
        constraints: Which of its nodes they may be placed on, such as "node.role==worker".
        progress: Called with the name of a container's remote and what it does now.

    Returns:
        An async context manager; it gives the remotes, named "gym-core-0" and so on.

    Raises:
        UsageError: An argument is wrong (at once), such as an `UnknownRuntimeError`.
        ProvisionError: A remote did not start (on entering the context).
    """
    if backend and backend not in BACKENDS:
        raise UsageError(f"there is no backend {backend!r}; there are: {', '.join(BACKENDS)}")
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise UsageError(f"the number of remotes must be 1 or more, not {n!r}")
    found = find_runtime(runtime)
    if env_id is not None and find_env(env_id).runtime != found.name:
        raise UsageError(f"{env_id} does not run on {runtime}")
    if found.kind == "manual":
        raise UsageError(
            f"nothing here can start {env_id or runtime}: it runs on a machine of yours, with VNC "
            "and a rewarder; give its address: remotes='vnc://host:5900+15900?password=...'"
        )
    if not _SCREEN.fullmatch(screen):
        raise UsageError(f"screen must be like '1024x768', or 'native', not {screen!r}")
    for name, seconds in {"lease": lease, "timeout": timeout}.items():
        if seconds is not None and not seconds > 0:
            raise UsageError(f"{name} must be more than 0 seconds, not {seconds!r}")
    if client_id is not None and not _CLIENT.fullmatch(client_id):
        raise UsageError(f"client_id={client_id!r}: 1 to 64 letters, digits, '.', '_' and '-'")
    if isinstance(warm, bool) or not isinstance(warm, int) or warm < 0:
        raise UsageError(f"warm={warm!r}: the number of spare remotes, 0 or more")
    options: dict[str, Any] = {
        "env_id": env_id,
        "screen": screen,
        "lease": lease,
        "timeout": found.boot if timeout is None else timeout,
    }
    if backend == "swarm":
        options |= {"manager": manager, "constraints": constraints}
    elif manager or constraints:
        raise UsageError("manager= and constraints= are for services: backend='swarm'")
    if backend == "process":
        if docker_image is not None or warm:
            raise UsageError("docker_image= and warm= are for containers: backend='docker'")
        return process.launch(runtime, n, **options)
    start = BACKENDS[backend] if backend else _automatic
    options |= {"client_id": client_id, "docker_image": docker_image, "warm": warm}
    return start(runtime, n, **options, progress=progress)


def provide(
    spec: int | str | Sequence[Remote],
    *,
    runtime: str,
    env_id: str | None = None,
    screen: str = "1024x768",
    lease: float | None = 60.0,
    timeout: float | None = None,
    client_id: str | None = None,
    docker_image: str | None = None,
    warm: int = 0,
    progress: Callable[[str, str], None] = lambda name, state: None,
) -> AbstractAsyncContextManager[Fleet]:
    """Give the remotes that `spec` stands for; those that it starts end with the context.

    Args:
        spec: How many to start (`4`, `"4"`, `"process:4"`, `"docker:4"`, `"swarm:4"`,
            `"swarm+ssh://me@manager/4"`), the addresses of running ones
            (`"vnc://host:5900+15900,..."`), or a list of them. Running ones are left alone, and the
            other arguments do not matter to them.
        runtime: As for `launch`, and so are `env_id`, `screen`, `lease` and `timeout`.
        env_id: See there.
        screen: See there.
        lease: See there.
        timeout: See there.
        client_id: See there.
        docker_image: See there.
        warm: See there.
        progress: See there.

    Raises:
        UsageError: `spec` is none of these, or something of it is wrong (at once).
        ProvisionError: A remote did not start (on entering the context).
    """
    started = read_started(spec)
    if started is not None:
        return launch(
            runtime,
            started.n,
            backend=started.backend,
            manager=started.manager,
            constraints=started.constraints,
            env_id=env_id,
            screen=screen,
            lease=lease,
            timeout=timeout,
            client_id=client_id,
            docker_image=docker_image,
            warm=warm,
            progress=progress,
        )
    if isinstance(spec, str) and spec.lower().startswith(("vnc://", "vnc+")):
        return nullcontext(Fleet(parse_remotes(spec)))
    if isinstance(spec, Sequence) and spec and all(isinstance(item, Remote) for item in spec):
        return nullcontext(Fleet(cast(Sequence[Remote], spec)))
    # A text may hold a password, so it is not shown.
    shown = repr(spec) if isinstance(spec, int) else f"this {type(spec).__name__}"
    raise UsageError(f"{shown} does not say which remotes; give {_FORMS}")
