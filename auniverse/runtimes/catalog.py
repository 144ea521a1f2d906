"""The catalogue of runtimes and environments, read from `runtimes.yml` once it is first asked.

A user's own file, named by AUNIVERSE_RUNTIMES, adds to ours: new runtimes, and families of ours. An
environment may have a `program`, settings of its own that its host reads; those of them that it
calls `options` may be said with its id, as in `internet.Page-v0?url=http%3A%2F%2Flocalhost`: an id
is what reaches every host, however it was started.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from auniverse.errors import UnknownEnvError, UnknownRuntimeError, UsageError

from .entries import Catalog, Env, Runtime, read_catalog, unlisted_env

#: The environment variable that names files (separated as in PATH) that add to ours, the later ones
#: last; what runs a remote on this machine reads it as well.
CATALOG_VARIABLE = "AUNIVERSE_RUNTIMES"

_FILE = Path(__file__).with_name("runtimes.yml")


def runtime(name: str) -> Runtime:
    """Return the runtime of that name.

    Raises:
        UnknownRuntimeError: There is none.
    """
    return _find_runtime(name)


def runtimes() -> tuple[Runtime, ...]:
    """Return all runtimes."""
    return tuple(_catalog().runtimes.values())


def env(env_id: str) -> Env:
    """Return what is known of an environment.

    Raises:
        UnknownEnvError: It is not listed, and its runtime, if there is one, runs listed ones only.
        UsageError: Something is said with the id that cannot be.
    """
    catalog = _catalog()
    listed, _, settings = env_id.partition("?")
    if listed in catalog.envs:
        found = catalog.envs[listed]
        return _with_settings(found, settings) if settings else found
    name, _, rest = env_id.partition(".")
    if name in catalog.runtimes and catalog.runtimes[name].unlisted:
        unlisted = unlisted_env(env_id, name, rest)
        if unlisted is not None:
            return unlisted
    raise UnknownEnvError(f"there is no environment {env_id[:100]!r}{_near(env_id, catalog)}")


def with_settings(env_id: str, settings: Mapping[str, object]) -> str:
    """Return an id that says some settings as well; `env` reads it.

    Raises:
        UnknownEnvError: There is no such environment.
        UsageError: It has no such setting.
    """
    if not settings:
        return env_id
    texts = {key: _text_of(value) for key, value in settings.items()}
    full = f"{env_id}{'&' if '?' in env_id else '?'}{urlencode(texts)}"
    return env(full).env_id


def envs(runtime: str | None = None) -> tuple[Env, ...]:
    """Return all listed environments, or those of one runtime.

    Raises:
        UnknownRuntimeError: There is no runtime of that name.
    """
    everything = _catalog().envs.values()
    if runtime is None:
        return tuple(everything)
    wanted = _find_runtime(runtime).name
    return tuple(env for env in everything if env.runtime == wanted)


@cache
def _catalog() -> Catalog:
    catalog = read_catalog(_FILE)
    for path in filter(None, os.environ.get(CATALOG_VARIABLE, "").split(os.pathsep)):
        catalog = read_catalog(Path(path), catalog)
    return catalog


def _with_settings(env: Env, settings: str) -> Env:
    """Put what was said with an id in the place of what the file says."""
    try:
        said = dict(parse_qsl(settings, keep_blank_values=True, strict_parsing=True))
    except ValueError as error:
        raise UsageError(f"{env.env_id}?{settings[:100]}: {error}") from None
    program = env.program
    open_to = program.text("options", "").split() if program is not None else []
    for key in said:
        if program is None or key not in open_to:
            known = f"; it has {' '.join(open_to)}" if open_to else ""
            raise UsageError(f"{env.env_id} has no setting {key[:100]!r}{known}")
    assert program is not None
    return replace(env, env_id=f"{env.env_id}?{urlencode(said)}", program=program.with_given(said))


def _text_of(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _find_runtime(name: str) -> Runtime:
    known = _catalog().runtimes
    if name not in known:
        raise UnknownRuntimeError(
            f"there is no runtime {name[:100]!r}; there are: {', '.join(known)}"
        )
    return known[name]


def _near(env_id: str, catalog: Catalog) -> str:
    """Return a hint at known ids; the runtime may have been left out, and case does not matter."""
    known = {}
    for full in catalog.envs:
        known[full.lower()] = known[full.partition(".")[2].lower()] = full
    near = get_close_matches(env_id[:100].lower(), known, 4)
    found = dict.fromkeys(known[match] for match in near)
    return f"; near it are {', '.join(found)}" if found else ""
