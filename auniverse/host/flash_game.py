"""A Flash game: its file, how it is played, and what earns a reward, as its YAML says."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from auniverse.errors import InvalidActionError, ProvisionError, UnknownEnvError, UsageError
from auniverse.keysyms import keysym
from auniverse.runtimes import Section, read_sections
from auniverse.scoring import Judge, Mark, ScreenScorer, read_judge, read_mark, read_scorer
from auniverse.shelf import games_folder

from .stage import take_size
from .swf import LARGEST, SWF, read_swf

PREFIX = "flashgames."
SUFFIX = "-v0"
#: Where our own games are.
OURS = Path(__file__).with_name("flashgames")
#: The shortest side of a picture, in pixels.
SMALLEST = 16
#: Seconds that one step of a menu may take.
LONGEST_WAIT = 60.0
_NAME = re.compile(r"[A-Za-z0-9_]{1,80}")
_FUNCTION = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]{0,63}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SOURCES = ("screen", "interface", "none")


class Click(NamedTuple):
    """Click into the picture."""

    x: int
    y: int


class Press(NamedTuple):
    """Press and release a key."""

    key: str


class Wait(NamedTuple):
    """Let some time pass."""

    seconds: float


class Until(NamedTuple):
    """Wait until something is on the screen, but not for ever."""

    mark: Mark
    within: float


class Insist(NamedTuple):
    """Click or press again and again, until something is on the screen."""

    step: Click | Press
    until: Until


Step = Click | Press | Wait | Until | Insist


@dataclass(frozen=True, slots=True)
class Interface:
    """What the game and the page say to each other through ExternalInterface.

    Attributes:
        judge: What makes rewards of the scores.
        score_call: The function that the game calls with its score; "" if it calls none.
        over_call: The one that it calls when it is over.
        score_ask: The function of the game that returns its score, asked again and again.
        over_ask: The one that tells whether it is over.
    """

    judge: Judge
    score_call: str
    over_call: str
    score_ask: str
    over_ask: str


@dataclass(frozen=True)
class Game:
    """How a game is played.

    Attributes:
        name: Its name.
        swf: Its file.
        width: Columns that its picture has on the screen.
        height: Rows likewise.
        fps: Frames per second; the file's where the YAML says nothing.
        keys: The keys that mean something.
        pointer: Whether the pointer does.
        menu: What is done between loading and playing.
        source: Which of the following earns rewards: "screen", "interface" or "none".
        screen: What reads the screen, None if nothing does.
        interface: What listens to the game, None if nothing does.
        files: Other files that the game loads, by their names.
    """

    name: str
    swf: bytes
    width: int
    height: int
    fps: float
    keys: tuple[str, ...] = ()
    pointer: bool = True
    menu: tuple[Step, ...] = ()
    source: str = "none"
    screen: ScreenScorer | None = None
    interface: Interface | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)

    @cached_property
    def judge(self) -> ScreenScorer | Interface | None:
        """What earns the rewards."""
        return {"screen": self.screen, "interface": self.interface, "none": None}[self.source]


#: The keys of a game whose YAML does not name any.
_ANY_KEYS = ("ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown", "space")


def find_game(env_id: str) -> Game:
    """Return the game of an id: a user's own, or one of ours.

    Raises:
        UnknownEnvError: It is no id of a Flash game.
        ProvisionError: Its file is not here; the message says where to put it.
        UsageError: What is here is no game; the message names file, line and key.
    """
    name = env_id.removeprefix(PREFIX).removesuffix(SUFFIX)
    if not _NAME.fullmatch(name) or env_id != f"{PREFIX}{name}{SUFFIX}":
        raise UnknownEnvError(f"{env_id[:100]!r} is no Flash game, such as flashgames.DuneRun-v0")
    shelf = games_folder()
    for folder in (shelf, OURS):
        if (path := folder / f"{name}.yml").is_file():
            return read_game(path)
        if (path := folder / f"{name}.swf").is_file():
            return plain_game(path)
    here = {path.stem for folder in (shelf, OURS) for path in folder.glob("*.swf")}
    near = get_close_matches(name, here, 3)
    hint = f" (near it are here: {', '.join(near)})" if near else ""
    raise ProvisionError(
        f"the game of {env_id} is not here{hint}, and the old games are not ours to give away: put "
        f"{name}.swf into {shelf}. How it is played goes into {name}.yml beside it; `sha256:` in "
        f"it pins the file, by the 64 hexadecimal digits of `sha256sum {name}.swf` "
        "(docs/flashgames.md)"
    )


def plain_game(path: Path) -> Game:
    """Return a game of which nothing is known but its file: no menu and no reward."""
    swf = _read_file(path)
    head = read_swf(swf, path.name)
    return Game(path.stem, swf, head.width, head.height, head.fps, keys=_ANY_KEYS)


def read_game(path: Path) -> Game:
    """Read a game's YAML, and the files that it names.

    Raises:
        ProvisionError: A file is missing or cannot be read.
        UsageError: Something is wrong with one; the message names file, line and key.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProvisionError(f"cannot read {path}: {error}") from error
    section = read_sections(text, path.name)
    swf, head = _read_swf(section, path)
    whole = head.width, head.height
    width, height = take_size(section, "size", SMALLEST) if "size" in section else whole
    source = section.choice("reward", _SOURCES) if "reward" in section else "none"
    if source != "none" and source not in section:
        section.refuse(f"is {source}, of which nothing is said", "reward")
    game = Game(
        name=path.stem,
        swf=swf,
        width=width,
        height=height,
        fps=section.number("fps", 0.1, 60, min(60.0, head.fps)),
        keys=_read_keys(section),
        pointer=section.truth("pointer", False),
        menu=tuple(map(_read_step, section.items("menu"))) if "menu" in section else (),
        source=source,
        screen=read_scorer(section.section("screen")) if "screen" in section else None,
        interface=_read_interface(section.section("interface")) if "interface" in section else None,
        files=_read_files(section, path.parent),
    )
    section.finish()
    return game


def _read_swf(section: Section, path: Path) -> tuple[bytes, SWF]:
    name = section.text("swf", f"{path.stem}.swf")
    if Path(name).name != name:
        section.refuse("must be the name of a file beside this one", "swf")
    digest = section.text("sha256", "") if "url" not in section else section.text("sha256")
    if digest and not _SHA256.fullmatch(digest):
        section.refuse("must be 64 hexadecimal digits, as sha256sum prints them", "sha256")
    url = section.text("url", "")
    target = path.with_name(name)
    if url and not target.is_file():
        if urlsplit(url).scheme not in ("http", "https"):
            section.refuse("must begin with http:// or https://", "url")
        _download(url, digest, target)
    if not target.is_file():
        section.refuse(f"names {name}, which is not in {path.parent}", "swf")
    swf = _read_file(target)
    if digest and hashlib.sha256(swf).hexdigest() != digest:
        section.refuse(f"is not that of {target}, another version of the game?", "sha256")
    return swf, read_swf(swf, str(target))


def _download(url: str, digest: str, target: Path) -> None:
    """Fetch a game once."""
    from urllib.request import urlopen

    try:
        with urlopen(url, timeout=30) as answer:
            data: bytes = answer.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        raise ProvisionError(
            f"cannot fetch {url}: {error}; or put {target.name} there by hand"
        ) from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise ProvisionError(f"what {url} gives has another SHA-256 than its YAML says")
    try:
        target.write_bytes(data)
    except OSError as error:
        raise ProvisionError(f"cannot write {target}: {error}") from error


def _read_file(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST:
            raise UsageError(f"{path} is larger than {LARGEST} bytes")
        return path.read_bytes()
    except OSError as error:
        raise ProvisionError(f"cannot read {path}: {error}") from error


def _read_keys(section: Section) -> tuple[str, ...]:
    keys = tuple(section.words("keys")) if "keys" in section else ()
    for key in keys:
        _check_key(section, "keys", key)
    return keys


def _check_key(section: Section, where: str, key: str) -> None:
    try:
        keysym(key)
    except InvalidActionError as error:
        section.refuse(f"holds {key!r}: {error}", where)


def _read_step(section: Section) -> Step:
    """Read a step of a menu: what is done, what is waited for, or both."""
    deed = _read_deed(section)
    until = _read_until(section) if "until" in section else None
    step: Step
    if deed is not None:
        step = deed if until is None else Insist(deed, until)
    elif until is not None:
        step = until
    elif "wait" in section:
        step = Wait(section.number("wait", 0, LONGEST_WAIT))
    else:
        section.refuse("must be a click, a key, a wait or an until")
    section.finish()
    return step


def _read_deed(section: Section) -> Click | Press | None:
    if "click" in section:
        words = section.words("click")
        if len(words) != 2 or not all(word.isdecimal() and len(word) < 5 for word in words):
            section.refuse("must be a column and a row", "click")
        return Click(int(words[0]), int(words[1]))
    if "key" in section:
        key = section.text("key")
        _check_key(section, "key", key)
        return Press(key)
    return None


def _read_until(section: Section) -> Until:
    within = section.number("within", 0, LONGEST_WAIT, LONGEST_WAIT / 4)
    return Until(read_mark(section.section("until")), within)


def _read_interface(section: Section) -> Interface:
    names = {key: section.text(key, "") for key in ("score", "over", "ask_score", "ask_over")}
    for key, name in names.items():
        if name and not _FUNCTION.fullmatch(name):
            section.refuse("is no name of a function", key)
    if not names["score"] and not names["ask_score"]:
        section.refuse("must have a score or an ask_score")
    judge = read_judge(section)
    section.finish()
    return Interface(judge, *names.values())


def _read_files(section: Section, folder: Path) -> dict[str, bytes]:
    names = section.words("files") if "files" in section else []
    for name in names:
        if Path(name).name != name or name in (".", ".."):
            section.refuse(f"holds {name!r}; only names of files beside this one", "files")
        if not (folder / name).is_file():
            section.refuse(f"names {name}, which is not in {folder}", "files")
    return {name: _read_file(folder / name) for name in names}
