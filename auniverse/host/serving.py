"""A remote in this process: the program of a runtime behind its host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from auniverse.address import Remote
from auniverse.errors import MissingDependencyError, UnknownRuntimeError
from auniverse.runtimes import runtime as find_runtime

from .certificate import Certificate
from .host import Host
from .live_host import LiveHost


async def serve(
    runtime: str,
    *,
    env_id: str | None = None,
    vnc_port: int = 5900,
    rewarder_port: int = 15900,
    password: str | None = "openai",
    rewarder_password: str | None = "",
    bind: str = "127.0.0.1",
    screen: str = "1024x768",
    lease: float | None = None,
    certificate: Certificate | None = None,
    ready: Callable[[Remote], None] = lambda remote: None,
) -> None:
    """Serve one remote until its lease ends or the task is cancelled.

    Args:
        runtime: What runs: "gym-core", "world-of-bits", "flashgames".
        env_id: What it begins with; None: nothing, until a client resets it to something.
        vnc_port: Where viewers are served; 0 takes a free port.
        rewarder_port: Where peers of the rewarder are served; 0 takes a free port.
        password: What clients must know; None lets everybody in.
        rewarder_password: Another one for the rewarder; "" means the same.
        bind: The address of both ports.
        screen: "native" or "<width>x<height>".
        lease: Seconds without any client after which it ends; None: never.
        certificate: Nothing passes outside TLS then; see `Host`.
        ready: Called once, when both ports listen.

    Raises:
        AuniverseError: The runtime or the environment is unknown, a package is missing, the
            screen cannot be read.
        ProgramFailed: The program fails again and again.
        OSError: A port is taken.
    """
    host = _host(runtime)(
        env_id=env_id,
        vnc_port=vnc_port,
        rewarder_port=rewarder_port,
        password=password,
        rewarder_password=rewarder_password,
        bind=bind,
        screen=screen,
        lease=lease,
        certificate=certificate,
    )
    async with host:
        ready(host.remote)
        await host.run()


def _host(runtime: str) -> Callable[..., Host | LiveHost]:
    found = find_runtime(runtime)
    if found.host not in _HOSTS:
        known = ", ".join(_HOSTS)
        raise UnknownRuntimeError(f"no runtime {runtime!r} can be hosted; known: {known}")
    return _HOSTS[found.host]


def _gym_core(**options: Any) -> Host:
    try:
        from .gym_core import GymProgram
    except ImportError as exc:
        raise MissingDependencyError(
            f"the gym-core runtime needs a package: {exc}; pip install 'auniverse[gym-core]'"
        ) from exc
    return Host(GymProgram(), **options)


def _world_of_bits(**options: Any) -> LiveHost:
    from .miniwob import MiniWoB

    return LiveHost(MiniWoB(), **options)


def _flashgames(**options: Any) -> LiveHost:
    from .flash import Flash

    return LiveHost(Flash(), **options)


def _desktop(**options: Any) -> LiveHost:
    from .xprogram import XProgram

    return LiveHost(XProgram(), **options)


def _internet(**options: Any) -> LiveHost:
    from .page import WebPage

    return LiveHost(WebPage(), **options)


_HOSTS: dict[str, Callable[..., Host | LiveHost]] = {
    "gym-core": _gym_core,
    "world-of-bits": _world_of_bits,
    "flashgames": _flashgames,
    "desktop": _desktop,
    "internet": _internet,
}
