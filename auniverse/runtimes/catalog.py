"""The catalogue of runtimes and environments, read from `runtimes.yml` once it is first asked.

A user's own file, named by AUNIVERSE_RUNTIMES, adds to ours: new runtimes, and families of ours. An
environment may have a `program`, settings of its own that its host reads; those of them that it
calls `options` may be said with its id, as in `internet.Page-v0?url=http%3A%2F%2Flocalhost`: an id
is what reaches every host, however it was started.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from auniverse.errors import (
    InvalidActionError,
    ProvisionError,
    UnknownEnvError,
    UnknownRuntimeError,
    UsageError,
)
from auniverse.keysyms import keysym

from .section import Section, read_sections

Keys = tuple[str, ...]

#: The environment variable that names files (separated as in PATH) that add to ours, the later ones
#: last; what runs a remote on this machine reads it as well.
CATALOG_VARIABLE = "AUNIVERSE_RUNTIMES"

#: What `host` of a runtime may be for its remotes to be processes: what `auniverse.host` serves.
HOSTS = frozenset({"gym-core", "world-of-bits", "flashgames", "internet", "desktop"})

_FILE = Path(__file__).with_name("runtimes.yml")
_KINDS = ("embedded", "desktop", "manual")
_RUNTIME = re.compile(r"[A-Za-z0-9_-]+")
# No colon: Gymnasium would import the module before it.
_ENV = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)?-v[0-9]+")
_TITLE_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]\w*")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one remote may use of its machine, where the backend can hold it to that.

    Attributes:
        memory: MiB, swap included.
        cpus: Processors.
        pids: Processes and threads.
    """

    memory: int
    cpus: float
    pids: int


@dataclass(frozen=True, slots=True)
class Reserve:
    """What a swarm keeps free for one remote on a machine; many use less than they may.

    Attributes:
        memory: MiB.
        cpus: Processors.
    """

    memory: int
    cpus: float


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a remote can run.

    Attributes:
        name: Its name, which begins the ids of its environments unless a family says otherwise.
        title: One line for people.
        kind: "embedded": the host plays it in its own process. "desktop": it runs by itself on an X
            server of its own, so there is no lock-step. "manual": nothing here starts it.
        host: What hosts it, one of `HOSTS` if a process can.
        image: The container image, without the tag; "" if there is none.
        tag: The image's tag.
        vnc_port: Where the screen listens inside a container.
        rewarder_port: Where the rewarder listens inside a container.
        lease: Seconds without a client, after which a host ends itself.
        keep: The same for remotes that are kept for their `client_id`.
        boot: Seconds that a remote may take to get ready.
        limits: What a container may use.
        reserve: What a swarm reserves for one.
        read_only: Whether a container's files are, but for /tmp.
        egress: Whether a container may open connections to elsewhere.
        unlisted: Whether it also runs environments that the catalogue does not list.
    """

    name: str
    title: str
    kind: str
    host: str
    image: str
    tag: str
    vnc_port: int
    rewarder_port: int
    lease: float
    keep: float
    boot: float
    limits: Limits
    reserve: Reserve
    read_only: bool
    egress: bool
    unlisted: bool


@dataclass(frozen=True, slots=True)
class Env:
    """How one environment is played.

    Attributes:
        env_id: Its id, such as "gym-core.Pong-v5".
        runtime: The name of its runtime.
        fps: Frames per second of real time.
        actions: Discrete action k is the k-th combination of keys, named as `auniverse.keysyms`
            names them; empty where the actions are vectors of numbers.
        press: "hold": a key counts in every frame while it is down. "tap": each press is a turn.
        keys: All keys that mean something, in the order of the actions. For vectors: the key that
            drives dimension 0 to its low end, the one for its high end, the same for dimension 1
            and so on; a dimension that starts at 0 has only the latter.
        pointer: Whether the pointer means something: while button 1 is down, its column sets
            dimension 0 (low at the left) and its row dimension 1 (low at the bottom).
        text: Whether the remote also says the state in words.
        title: Its name for people.
        joystick: The axes of a joystick that mean something, such as "X" and "Z".
        program: What its host reads: the mapping `program` in the file, with what was said with
            the id in its place; None if there is none.
        described: False for an unlisted environment, of which nothing but its id is known before
            the remote describes it; the rest are then defaults.
        brought: Whether the program has to be brought by whoever wants to play it.
    """

    env_id: str
    runtime: str
    fps: float
    actions: tuple[Keys, ...]
    press: str
    keys: Keys
    pointer: bool
    text: bool
    title: str
    joystick: tuple[str, ...] = ()
    program: Section | None = field(default=None, compare=False, repr=False)
    described: bool = True
    brought: bool = False


@dataclass(frozen=True, slots=True)
class Catalog:
    """The contents of a `runtimes.yml`, in the file's order."""

    runtimes: Mapping[str, Runtime]
    envs: Mapping[str, Env]


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
    if name in catalog.runtimes and catalog.runtimes[name].unlisted and _ENV.fullmatch(rest):
        return Env(env_id, name, 60.0, (), "hold", (), False, False, _title(rest), described=False)
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


def read_catalog(path: Path, below: Catalog | None = None) -> Catalog:
    """Read a `runtimes.yml`.

    Args:
        path: Where.
        below: What the file adds to. A runtime that stands in both is another one if the file says
            more of it than `families`; environments that stand in both are the file's.

    Raises:
        ProvisionError: The file cannot be read.
        UsageError: Something in it is wrong; the message names file, line and key.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProvisionError(f"cannot read {path}: {error}") from error
    runtimes = dict(below.runtimes) if below else {}
    envs: dict[str, Env] = {}
    for name, section in read_sections(text, path.name).sections():
        if name not in runtimes or set(section.keys) != {"families"}:
            runtimes[name] = _read_runtime(name, section)
        for _, family in section.section("families").sections():
            _read_family(name, family, envs)
        section.finish()
    return Catalog(runtimes, {**(below.envs if below else {}), **envs})


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


def _read_runtime(name: str, section: Section) -> Runtime:
    if not _RUNTIME.fullmatch(name):
        section.refuse("is no name for a runtime: letters, digits, _ and -")
    ports = section.section("ports")
    limits = _read_limits(section.section("limits"))
    found = Runtime(
        name=name,
        title=section.text("title"),
        kind=section.choice("kind", _KINDS),
        host=section.text("host", name),
        image=section.text("image", ""),
        tag=section.text("tag", ""),
        vnc_port=int(ports.number("vnc", 1, 65535, 5900)),
        rewarder_port=int(ports.number("rewarder", 1, 65535, 15900)),
        lease=section.number("lease", 1, 86400),
        keep=section.number("keep", 1, 604800, 600.0),
        boot=section.number("boot", 1, 3600, 60.0),
        limits=limits,
        reserve=_read_reserve(section.section("reserve"), limits),
        read_only=section.truth("read_only", False),
        egress=section.truth("egress", False),
        unlisted=section.truth("unlisted", False),
    )
    ports.finish()
    return found


def _read_limits(section: Section) -> Limits:
    limits = Limits(
        memory=int(section.number("memory", 16, 1048576, 1024)),
        cpus=section.number("cpus", 0.05, 1024, 1.0),
        pids=int(section.number("pids", 8, 4194304, 256)),
    )
    section.finish()
    return limits


def _read_reserve(section: Section, limits: Limits) -> Reserve:
    """Read what is reserved; all that a remote may use, where nobody has measured."""
    reserve = Reserve(
        memory=int(section.number("memory", 1, limits.memory, limits.memory)),
        cpus=section.number("cpus", 0.01, limits.cpus, limits.cpus),
    )
    section.finish()
    return reserve


def _read_family(runtime: str, family: Section, envs: dict[str, Env]) -> None:
    prefix = family.text("prefix", f"{runtime}.")
    table = family.section("meanings")
    meanings = {meaning: _read_keys(keys, table, meaning) for meaning, keys in table.texts()}
    for section in family.items("envs"):
        names = section.words("games")
        pattern = _read_env(section, runtime, meanings)
        section.finish()
        for name in names:
            env_id = prefix + name
            if not _ENV.fullmatch(name):
                section.refuse(f"holds {name!r}, which is no id such as Pong-v5", "games")
            if env_id in envs:
                section.refuse(f"holds {name!r}, which stands above already", "games")
            envs[env_id] = replace(pattern, env_id=env_id, title=_title(name))
    family.finish()


def _read_env(section: Section, runtime: str, meanings: Mapping[str, Keys]) -> Env:
    """Return what some games have in common: all but their ids and titles."""
    program = section.section("program")
    if ("actions" in section) == ("keys" in section):
        section.refuse("must have either actions or keys")
    kind = "actions" if "actions" in section else "keys"
    combinations = tuple(
        meanings[word] if word in meanings else _read_keys(word, section, kind)
        for word in section.words(kind)
    )
    return Env(
        env_id="",
        runtime=runtime,
        fps=section.number("fps", 0.1, 60),
        actions=combinations if kind == "actions" else (),
        press=section.choice("press", ("hold", "tap")),
        keys=tuple(dict.fromkeys(key for keys in combinations for key in keys)),
        pointer=section.truth("pointer", False),
        text=section.truth("text", False),
        title="",
        joystick=tuple(section.text("joystick", "").split()),
        program=program if program.keys else None,
        brought=section.truth("brought", False),
    )


def _read_keys(word: str, section: Section, key: str) -> Keys:
    """Return the keys of `none`, `ArrowUp` or `ArrowUp+space`."""
    keys = () if word == "none" else tuple(word.split("+"))
    for name in keys:
        try:
            keysym(name)
        except InvalidActionError as error:
            section.refuse(f"holds {word!r}: {error}", key)
    return keys


def _title(name: str) -> str:
    return " ".join(_TITLE_WORDS.findall(name.rpartition("-v")[0]))


def _near(env_id: str, catalog: Catalog) -> str:
    """Return a hint at known ids; the runtime may have been left out, and case does not matter."""
    known = {}
    for full in catalog.envs:
        known[full.lower()] = known[full.partition(".")[2].lower()] = full
    near = get_close_matches(env_id[:100].lower(), known, 4)
    found = dict.fromkeys(known[match] for match in near)
    return f"; near it are {', '.join(found)}" if found else ""
