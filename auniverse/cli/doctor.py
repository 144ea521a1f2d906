"""`auniverse doctor`: what is installed, what is missing, and whether a remote comes up here."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from importlib import metadata, util
from pathlib import Path
from typing import Annotated, Any

import typer

from auniverse.errors import AuniverseError, UsageError

from .report import exit_code, print_rows

PACKAGES = (
    "auniverse",
    "aiodocker",
    "ale-py",
    "asyncssh",
    "asyncvnc",
    "av",
    "cryptography",
    "gymnasium",
    "numpy",
    "pillow",
    "rich",
    "typer",
    "uvloop",
    "websockets",
)
#: What each extra brings, as modules.
EXTRAS = {
    "gym-core": ("ale_py", "Box2D", "pygame"),
    "jpeg": ("simplejpeg",),
    "learn": ("matplotlib", "torch"),
    "rllib": ("ray", "torch", "tree"),
    "sb3": ("stable_baselines3",),
    "ssh": ("asyncssh",),
    "torchrl": ("tensordict", "torchrl"),
    "video": ("PIL", "av"),
    "world-of-bits": ("miniwob", "playwright"),
    "flashgames": ("playwright",),
}
#: What to install, so that the compiled decoder is built at the next `pip install`.
COMPILED_NEEDS = "gcc libc6-dev python3-dev libturbojpeg0-dev"
DOCKER_SOCKET = "/var/run/docker.sock"
#: What the self-test plays: light, and drawn at once.
SELF_TEST = "gym-core.CartPole-v1"


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object on stdout.")] = False,
) -> None:
    """Look at this machine, and bring one remote up on it."""
    found = examine()
    error: AuniverseError | None = None
    try:
        found["self_test"] = self_test()
    except AuniverseError as failure:
        error = failure
        found["self_test"] = {"env_id": SELF_TEST, "ok": False, "error": str(failure)}
    if as_json:
        typer.echo(json.dumps(found, indent=1))
    else:
        print_findings(found)
    if error:
        raise typer.Exit(exit_code(error))


def versions(*packages: str) -> dict[str, str | None]:
    """Return the versions of Python and of packages, None for those that are not installed."""
    return {"python": platform.python_version(), **{name: _version(name) for name in packages}}


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def examine() -> dict[str, Any]:
    """Return what can be said without starting anything, as JSON values."""
    socket = Path(os.environ.get("DOCKER_HOST", DOCKER_SOCKET).removeprefix("unix://"))
    return {
        "python": sys.version.split()[0],
        "executable": sys.executable,
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "packages": {name: _version(name) for name in PACKAGES},
        "extras": {
            extra: all(util.find_spec(module) is not None for module in modules)
            for extra, modules in EXTRAS.items()
        },
        "decoders": decoders(),
        "uvloop": _version("uvloop"),
        "display": os.environ.get("DISPLAY"),
        "xtigervnc": shutil.which("Xtigervnc"),
        "chromium": shutil.which("chromium"),
        "docker": {"socket": str(socket), "present": socket.exists()},
    }


def decoders() -> dict[str, Any]:
    """Return which decoder new connections get, who said so, and what it is linked with."""
    from auniverse.rfb import NativeDecoder, decoder_named, native_available, native_libraries

    said = os.environ.get("AUNIVERSE_DECODER") or None
    try:
        chosen = "native" if decoder_named(said) is NativeDecoder else "numpy"
    except UsageError:
        chosen = None
    return {
        "chosen": chosen,
        "AUNIVERSE_DECODER": said,
        "native": native_available(),
        **native_libraries(),
    }


def _decoders_in_words(found: dict[str, Any]) -> str:
    said = found["AUNIVERSE_DECODER"]
    if found["native"]:
        jpeg = found["jpeg"] or "no JPEG library (libturbojpeg0-dev brings one)"
        words = f"native: compiled, {jpeg}"
    else:
        words = (
            "numpy: the compiled one was not built. It needs (Debian's names) "
            f"{COMPILED_NEEDS}; then install auniverse again"
        )
    if said is None:
        return words
    chosen = found["chosen"]
    verdict = (
        f"AUNIVERSE_DECODER={said} chooses {chosen}"
        if chosen
        else (f"AUNIVERSE_DECODER={said} names none that is here: connections fail")
    )
    return f"{words}; {verdict}"


def self_test() -> dict[str, Any]:
    """Bring one remote up, see its first frame, take it down.

    Raises:
        AuniverseError: It did not work.
    """
    from auniverse.links import run as run_loop

    return run_loop(_self_test())


async def _self_test() -> dict[str, Any]:
    import asyncio

    from auniverse.remotes import launch
    from auniverse.session import connect

    loop = asyncio.get_running_loop()
    begun = loop.time()
    async with launch("gym-core", n=1, env_id=SELF_TEST) as remotes:
        up = loop.time()
        async with connect(remotes[0], env_id=SELF_TEST) as session:
            observation, _ = await session.reset(seed=0)
            seen = loop.time()
    return {
        "env_id": SELF_TEST,
        "ok": True,
        "remote_up_s": up - begun,
        "first_frame_s": seen - up,
        "taken_down_s": loop.time() - seen,
        "screen": list(observation.shape),
    }


def print_findings(found: dict[str, Any]) -> None:
    """Print what was found, for people."""
    print_rows(rows(found))


def rows(found: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the lines of the table for people: name and value."""
    docker, test = found["docker"], found["self_test"]
    present = "there" if docker["present"] else "not there"
    if test["ok"]:
        height, width, _ = test["screen"]
        verdict = (
            f"works: {test['env_id']} up in {test['remote_up_s']:.2f} s, first frame "
            f"({width}x{height}) {test['first_frame_s']:.2f} s later"
        )
    else:
        verdict = f"FAILED: {test['error']}"
    return [
        ("python", f"{found['python']}, {found['executable']}"),
        ("platform", f"{found['platform']}, {found['processors']} processors"),
        (
            "packages",
            ", ".join(f"{name} {version or '-'}" for name, version in found["packages"].items()),
        ),
        *(
            (
                f"extra {extra}",
                "installed" if there else f"missing: pip install 'auniverse[{extra}]'",
            )
            for extra, there in found["extras"].items()
        ),
        ("decoder", _decoders_in_words(found["decoders"])),
        ("uvloop", found["uvloop"] or "not installed (not needed)"),
        ("DISPLAY", found["display"] or "not set (not needed: remotes draw off screen)"),
        ("Xtigervnc", found["xtigervnc"] or "not installed (remotes that are desktops need it)"),
        ("chromium", found["chromium"] or "not installed (World of Bits needs it)"),
        ("docker engine", f"{docker['socket']}: {present}"),
        ("self-test", verdict),
    ]
