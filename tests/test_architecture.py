"""The house rules, as tests.

1. Imports point down, and enter a room by its door.  2. Each dependency has a door of its own.
3. The cores know no I/O and no clock.  4. Every module has its mirror under tests/.  5. Files stay
short, names say something, and only the command line prints.

Each rule is a function from a `Module` to its breaches, so that it can be tried on planted ones.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ROOT = TESTS.parent
PACKAGE = ROOT / "auniverse"

FLOORS = (  # ground first; rooms on one floor do not know each other
    {"errors"},  # what can go wrong
    {"address", "keysyms"},  # values
    {"rfb", "rewarder"},  # cores: no task, no socket, no clock
    {"links", "runtimes", "shelf", "spaces"},  # I/O shells, what can run, the action vocabulary
    {"session", "remotes", "scoring"},  # one remote; where remotes come from; rewards of pictures
    {"vector", "recording", "cluster"},  # many remotes, one batch; kept streams; machines for them
    {"acquire", "portal", "window"},  # what the faces stand on
    {"env", "classic", "registration"},  # the synchronous faces
    {"interop"},  # the faces that other libraries know
    {"cli"},  # the street
    {"__init__", "__main__"},
)
LAST_CORE_FLOOR = 2
CORES = set().union(*FLOORS[: LAST_CORE_FLOOR + 1])
NEITHER_CLOCK_NOR_TASK = CORES | {"scoring"}
WING = "host"  # the far side: stands on the cores, and only the street calls on it
THE_WING_MAY_KNOW = {"runtimes", "scoring", "shelf"}  # what a program is and how it earns rewards
MAY_CALL_ON_THE_WING = {"cli"}

ABOVE_THE_CORES = set().union(*FLOORS[LAST_CORE_FLOOR + 1 :]) | {WING}
DOORS: dict[str, set[str]] = {  # dependency -> the only modules that may import it
    "aiodocker": {"remotes.docker", "remotes.swarm"},
    "ale_py": {"host"},
    "asyncio": ABOVE_THE_CORES,
    "asyncssh": {"links.ssh"},
    "asyncvnc": {"links.apple"},
    "av": {"cli"},
    "boto3": {"cluster.cloud"},
    "botocore": {"cluster.cloud"},
    "cryptography": {"remotes.swarm.certificate", "rfb.security"},
    "gymnasium": {"spaces", "env", "host.gym_core", "interop", "registration"},
    "PIL": {"cli"},
    "playwright": {"host.browser"},
    "pygame": {"host", "window"},
    "ray": {"interop.rllib", "vector.crew.ray"},
    "rich": {"cli"},
    "simplejpeg": {"rfb.decoders.jpeg"},
    "socket": {"host.keepalive", "links.tunnel"},  # options and pairs that asyncio does not know
    "stable_baselines3": {"interop.sb3"},
    "subprocess": ABOVE_THE_CORES,
    "threading": {"portal"},
    "tensordict": {"interop.torchrl"},
    "time": set(),
    "torch": {"interop"},
    "torchrl": {"interop.torchrl"},
    "typer": {"cli"},
    "websockets": {"links.rewarder", "links.websocket", WING},
    "yaml": {"runtimes"},
}
ONLY_INSIDE_FUNCTIONS = {
    "asyncssh",
    "asyncvnc",
    "av",
    "boto3",
    "botocore",
    "cryptography",
    "PIL",
    "ray",
    "playwright",
    "simplejpeg",
}  # heavy, and not needed by everybody
NO_CORE_KNOWS = {
    "http",
    "os",
    "random",
    "secrets",
    "select",
    "selectors",
    "ssl",
    "subprocess",
    "urllib.request",
}
FORBIDDEN_NAMES = {
    "base",
    "common",
    "core",
    "helper",
    "helpers",
    "manager",
    "misc",
    "util",
    "utils",
}
LONGEST_FILE = 400  # lines
ACROSS = {"chaos", "fuzz", "hostile", "live"}  # tests of what goes through several rooms


@dataclass(frozen=True)
class Module:
    name: str  # below auniverse: "rfb.connection", "rfb.__init__", "session"
    text: str

    @property
    def room(self) -> str:
        return self.name.split(".")[0]

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    def imports(self) -> Iterator[str]:
        """Every absolute import, those inside functions too."""
        yield from imports_in(ast.walk(self.tree))

    def is_inside(self, rooms: set[str]) -> bool:
        return any(f"{self.name}.".startswith(f"{room}.") for room in rooms)


def imports_in(nodes: Iterator[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            assert node.module is not None
            if node.module == "auniverse":  # `from auniverse import rfb` enters by the door too
                yield from (f"auniverse.{alias.name}" for alias in node.names)
            else:
                yield node.module


def floor(room: str) -> int:
    return next((number for number, rooms in enumerate(FLOORS) if room in rooms), len(FLOORS))


def rooms_entered(module: Module) -> Iterator[list[str]]:
    for name in module.imports():
        top, *path = name.split(".")
        if top == "auniverse" and path:
            yield path


def every_room_has_its_floor(module: Module) -> Iterator[str]:
    if module.room != WING and not any(module.room in rooms for rooms in FLOORS):
        yield f"{module.room} stands on no floor"


def imports_enter_by_the_door(module: Module) -> Iterator[str]:
    for path in rooms_entered(module):
        if len(path) > 1:
            yield f"auniverse.{'.'.join(path)} is inside another room"
        elif path[0] == module.room and path[0] != "__init__":
            yield f"auniverse.{path[0]} is its own room: import relatively"


def imports_point_down(module: Module) -> Iterator[str]:
    for room, *_ in rooms_entered(module):
        if room == module.room:
            continue
        if room == WING:
            if module.room not in MAY_CALL_ON_THE_WING:
                yield "auniverse.host is the far side"
        elif module.room == WING:
            if floor(room) > LAST_CORE_FLOOR and room not in THE_WING_MAY_KNOW:
                yield f"the far side knows only the cores, not auniverse.{room}"
        elif floor(room) >= floor(module.room):
            yield f"auniverse.{room} is not below"


def relative_imports_stay_in_the_room(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.level > module.name.count("."):
            if module.room == "__init__":  # the front door reads what stands beside it
                continue
            yield f"line {node.lineno}: a relative import leaves the room"


def each_dependency_has_its_door(module: Module) -> Iterator[str]:
    for name in module.imports():
        dependency = name.split(".")[0]
        if dependency in DOORS and not module.is_inside(DOORS[dependency]):
            yield f"{dependency} does not come in here"


def heavy_dependencies_are_imported_late(module: Module) -> Iterator[str]:
    if module.room == "interop":  # who imports one of its files wants its library
        return
    late = {
        id(node)
        for block in ast.walk(module.tree)
        if isinstance(block, ast.FunctionDef | ast.AsyncFunctionDef) or is_for_types_only(block)
        for node in ast.walk(block)
    }
    outside = (node for node in ast.walk(module.tree) if id(node) not in late)
    for name in imports_in(outside):
        if name.split(".")[0] in ONLY_INSIDE_FUNCTIONS:
            yield f"{name} is imported with the module, not where it is used"


def is_for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def cores_know_no_outside(module: Module) -> Iterator[str]:
    if module.room in NEITHER_CLOCK_NOR_TASK:
        for name in module.imports():
            if name in NO_CORE_KNOWS or name.split(".")[0] in NO_CORE_KNOWS:
                yield f"{name} in a core"
        if any(
            isinstance(node, ast.AsyncFunctionDef | ast.Await) for node in ast.walk(module.tree)
        ):
            yield "async in a core"


def only_the_command_line_prints(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        match node:
            case ast.Call(func=ast.Name(id="print"), keywords=options):
                if module.room != "cli" and not any(option.arg == "file" for option in options):
                    yield f"line {node.lineno}: print"


def names_say_something(module: Module) -> Iterator[str]:
    classes = [node.name for node in ast.walk(module.tree) if isinstance(node, ast.ClassDef)]
    for name in (*module.name.split("."), *classes):
        last_word = re.findall("[A-Z]?[^A-Z]*", name)[-2]
        if {name, last_word.lower()} & FORBIDDEN_NAMES:
            yield f"{name} says nothing"


def files_are_short(module: Module) -> Iterator[str]:
    lines = module.text.count("\n")
    if lines > LONGEST_FILE:
        yield f"{lines} lines, and {LONGEST_FILE} are allowed"


Rule = Callable[[Module], Iterator[str]]
RULES: tuple[Rule, ...] = (
    every_room_has_its_floor,
    imports_enter_by_the_door,
    imports_point_down,
    relative_imports_stay_in_the_room,
    each_dependency_has_its_door,
    heavy_dependencies_are_imported_late,
    cores_know_no_outside,
    only_the_command_line_prints,
    names_say_something,
    files_are_short,
)


def modules() -> Iterator[Module]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield Module(".".join(path.relative_to(PACKAGE).with_suffix("").parts), path.read_text())


MODULES = {module.name: module for module in modules()}


@pytest.mark.parametrize("name", MODULES)
def test_the_house_rules_hold(name: str) -> None:
    module = MODULES[name]
    breaches = [f"{rule.__name__}: {breach}" for rule in RULES for breach in rule(module)]
    assert breaches == []


@pytest.mark.parametrize("name", [name for name in MODULES if "__" not in name])
def test_every_module_has_its_mirror(name: str) -> None:
    *rooms, stem = name.split(".")
    assert TESTS.joinpath(*rooms, f"test_{stem}.py").exists()


def test_every_test_file_mirrors_a_module() -> None:
    allowed = {"test_architecture", "test_benchmarks", "test_examples", "test_readme"}
    for *rooms, stem in (name.split(".") for name in MODULES):
        allowed.add(".".join([*rooms, f"test_{stem.strip('_')}"]))
        if stem == "__init__" and rooms:  # a room's door may be tested under the room's name
            parts = [rooms[-1], *(path.stem for path in PACKAGE.joinpath(*rooms).glob("*.c"))]
            allowed |= {".".join([*rooms, f"test_{part}"]) for part in parts}
    found = {".".join(p.relative_to(TESTS).with_suffix("").parts) for p in TESTS.rglob("test_*.py")}
    found = {name for name in found if name.split(".")[0] not in ACROSS}
    assert found - allowed == set()


@pytest.mark.parametrize(
    "path",
    sorted(
        [
            *TESTS.rglob("*.py"),
            *ROOT.glob("benchmarks/**/*.py"),
            *ROOT.glob("examples/*.py"),
            *ROOT.glob("fuzz/*.py"),
        ]
    ),
    ids=lambda path: path.name,
)
def test_tests_and_benchmarks_are_short_too(path: Path) -> None:
    assert list(files_are_short(Module(path.stem, path.read_text()))) == []


PLANTED: tuple[tuple[Rule, str, str], ...] = (
    (every_room_has_its_floor, "cellar", ""),
    (imports_enter_by_the_door, "session", "from auniverse.rfb.types import Box"),
    (imports_enter_by_the_door, "session", "import auniverse.rfb.types"),
    (imports_enter_by_the_door, "rfb.connection", "from auniverse.rfb import Box"),
    (imports_point_down, "rfb.connection", "from auniverse.rewarder import Ledger"),
    (imports_point_down, "links.vnc", "from auniverse import session"),
    (imports_point_down, "vector.pool", "def f():\n    from auniverse.env import RemoteEnv"),
    (imports_point_down, "remotes.process", "from auniverse.host import Host"),
    (imports_point_down, "host.host", "from auniverse.links import open_vnc"),
    (relative_imports_stay_in_the_room, "rfb.connection", "from ..rewarder import Ledger"),
    (relative_imports_stay_in_the_room, "session", "from .rfb import Connection"),
    (each_dependency_has_its_door, "session", "import time"),
    (each_dependency_has_its_door, "host.host", "from socket import socket"),
    (each_dependency_has_its_door, "vector.pool", "import gymnasium.spaces"),
    (each_dependency_has_its_door, "host.gym_core_games", "import gymnasium"),
    (each_dependency_has_its_door, "links.vnc", "import websockets"),
    (each_dependency_has_its_door, "vector.pool", "import threading"),
    (each_dependency_has_its_door, "rfb.connection", "import asyncio"),
    (heavy_dependencies_are_imported_late, "rfb.security", "import cryptography.hazmat"),
    (heavy_dependencies_are_imported_late, "cli.film", "if True:\n    import av"),
    (cores_know_no_outside, "rewarder.ledger", "import random"),
    (cores_know_no_outside, "rfb.connection", "async def f(): ..."),
    (only_the_command_line_prints, "session", "def f():\n    print('here')"),
    (names_say_something, "rfb.utils", ""),
    (names_say_something, "vector.pool", "class PoolManager: ..."),
    (files_are_short, "session", "\n" * (LONGEST_FILE + 1)),
)


@pytest.mark.parametrize(("rule", "name", "text"), PLANTED)
def test_planted_breaches_are_caught(rule: Rule, name: str, text: str) -> None:
    assert list(rule(Module(name, text)))


HARMLESS = (
    ("session", "from auniverse.rfb import Box\nfrom auniverse import rewarder\nimport asyncio"),
    ("rfb.decoders.tight", "from ..types import Box\nimport zlib\nimport numpy"),
    ("rfb.security", "def f():\n    from cryptography.hazmat import primitives"),
    ("host.gym_core", "import gymnasium\nfrom auniverse.rfb import Screen\nfrom .program import P"),
    ("cli.serve", "from auniverse.host import Host\nfrom .report import x\nimport typer"),
    ("env", "from auniverse.vector import SessionPool\nimport gymnasium"),
    ("host.gym_core", "class Score: ..."),
    ("host.__main__", "print('here', file=answer)"),
    ("interop.rllib", "import ray"),
    ("cli.film", "if TYPE_CHECKING:\n    import av"),
    ("__init__", "from .errors import AuniverseError"),
)


@pytest.mark.parametrize(("name", "text"), HARMLESS)
def test_what_is_allowed_passes(name: str, text: str) -> None:
    assert [breach for rule in RULES for breach in rule(Module(name, text))] == []
