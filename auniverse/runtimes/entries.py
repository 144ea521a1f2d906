"""What stands in a `runtimes.yml`: runtimes, and how their environments are played."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from auniverse.errors import InvalidActionError, ProvisionError
from auniverse.keysyms import keysym

from .section import Section, read_sections

Keys = tuple[str, ...]

#: What `host` of a runtime may be for its remotes to be processes: what `auniverse.host` serves.
HOSTS = frozenset({"gym-core", "world-of-bits", "flashgames", "internet", "desktop"})

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
        rewarded: Whether it earns rewards. Of what has to be brought: whether it did in Universe.
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
    rewarded: bool = True


@dataclass(frozen=True, slots=True)
class Catalog:
    """The contents of a `runtimes.yml`, in the file's order."""

    runtimes: Mapping[str, Runtime]
    envs: Mapping[str, Env]


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


def unlisted_env(env_id: str, runtime: str, name: str) -> Env | None:
    """Return what is known of an environment by its name alone; None: that is no name."""
    if not _ENV.fullmatch(name):
        return None
    title = _title(name)
    return Env(env_id, runtime, 60.0, (), "hold", (), False, False, title, described=False)


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
        rewarded=section.truth("rewarded", True),
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
