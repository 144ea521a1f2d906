"""World of Bits: the tasks of MiniWoB++ in a browser, `wob.mini.<Task>-v0` and `wob.flight.*`.

`wob.MiniWorldOfBits-v0` is all of `wob.mini`, the next one each episode.

The pages are those of the package `miniwob`, unchanged. They keep their state in globals; a script
put into the page begins episodes, and says when one has ended and with which reward. The page's
own START cover is left out: the host begins the episodes, the next one in the same page.

The flight pages hold a second page, an airline's, and look into it. Two files are strangers to a
browser, so these pages have an origin, which the host answers for.
"""

from __future__ import annotations

import difflib
import importlib.util
import logging
import mimetypes
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from auniverse.errors import MissingDependencyError, UnknownEnvError

from .browser import Browser
from .desktop import Desktop
from .program import LONGEST, Metadata, Outcome, ProgramCrashed, Report, is_number

_log = logging.getLogger(__name__)

FPS = 30.0
#: The id of all of `wob.mini` in turn, as Universe had it.
TOUR = "wob.MiniWorldOfBits-v0"
_ORIGIN = "http://miniwob.localhost"
_DONE, _SAID = "auniverseDone", "auniverseSaid"

#: Runs in every page, once.
_SCRIPT = Path(__file__).with_name("miniwob.js")


class MiniWoB:
    """The `LiveProgram` that plays MiniWoB++ tasks, one at a time.

    Args:
        limit: Seconds that an episode may take; None: what its page says, most often 10.
    """

    def __init__(self, limit: float | None = None) -> None:
        self._limit = limit
        self._browser: Browser | None = None
        self._env_id = ""
        self._task = ""
        self._episode = 0
        self._report: Report = lambda news: None

    async def load(self, env_id: str, desktop: Desktop, report: Report) -> Metadata:
        """Open a task's page, in a new browser if there is none that works; see `LiveProgram`.

        Raises:
            UnknownEnvError: There is no such task; the message gives near names.
            MissingDependencyError: The package `miniwob`, Playwright or Chromium is missing.
            ProgramCrashed: The page does not come up.
        """
        task = env_id if env_id != TOUR else tour()[-1]  # the first episode's is the next
        find_page(task)  # before anything is started
        self._report = report
        if self._browser is not None and env_id == self._env_id:
            await self.close()  # asked for anew: whatever was there has failed
        if self._browser is None:
            await self._start(desktop)
        assert self._browser is not None
        await self._show(task)
        self._env_id = env_id
        return Metadata(
            env_id=env_id,
            fps=FPS,
            width=desktop.size[0],
            height=desktop.size[1],
            actions=(),
            press="hold",
            keys=(),
            pointer=True,
            text=True,
        )

    async def reset(self, seed: int | None) -> str | None:
        """Begin an episode in the page that is there, or in the tour's next; see `LiveProgram`."""
        if self._browser is None:
            raise ProgramCrashed("there is no browser")
        if self._env_id == TOUR:
            tasks = tour()
            place = tasks.index(self._task) + 1 if seed is None else seed
            await self._show(tasks[place % len(tasks)])
        self._episode += 1
        script = "words => window.auniverseBegin(...words)"
        text = await self._browser.evaluate(script, [self._episode, seed, self._limit])
        return text[:LONGEST] if isinstance(text, str) else ""

    async def close(self) -> None:
        """End the browser."""
        browser, self._browser = self._browser, None
        if browser is not None:
            await browser.close()

    async def _start(self, desktop: Desktop) -> None:
        self._browser = browser = Browser(desktop, crashed=self._crashed)
        await browser.start()
        await browser.listen(_DONE, self._ended)
        await browser.listen(_SAID, self._said)
        await browser.serve(_ORIGIN, read_file)

    async def _show(self, task: str) -> None:
        assert self._browser is not None
        await self._browser.open(find_page(task))
        await self._browser.evaluate(_SCRIPT.read_text())
        self._task = task

    def _crashed(self, reason: str) -> None:
        self._report(ProgramCrashed(reason))

    def _ended(self, told: Any) -> None:
        """The page says that an episode is over. It is a page: it may say anything."""
        match told:
            case {"episode": self._episode, "reward": reward, "raw": raw} if is_number(
                reward
            ) and is_number(raw):
                late = bool(told.get("timed_out"))
                info: dict[str, Any] = {"raw_reward": raw, "timed_out": late}
                if self._env_id == TOUR:
                    info["task"] = self._task
                self._report(Outcome(float(reward), not late, late, None, info))
            case {"episode": self._episode}:
                self._report(ProgramCrashed(f"the page gives a reward that is none: {told!r:.200}"))

    def _said(self, told: Any) -> None:
        match told:
            case {"episode": self._episode, "text": str(text)}:
                self._report(Outcome(0.0, False, False, text[:LONGEST], {}))


def tour() -> tuple[str, ...]:
    """Return the ids of all of `wob.mini`.

    Raises:
        MissingDependencyError: The package `miniwob` is not installed.
    """
    return tuple(task for task in _pages() if task.startswith("wob.mini."))


def find_page(env_id: str) -> str:
    """Return the address of a task's page.

    Raises:
        UnknownEnvError: There is none of that name; the message gives near names.
        MissingDependencyError: The package `miniwob` is not installed.
    """
    pages = _pages()
    if env_id not in pages:
        near = difflib.get_close_matches(env_id, pages, 3)
        hint = f"; near it are {', '.join(near)}" if near else ""
        raise UnknownEnvError(f"there is no task {env_id[:100]!r}{hint}")
    return pages[env_id]


def read_file(path: str) -> tuple[str, bytes] | None:
    """Return type and content of a file of the package, by its path in an address.

    Args:
        path: Such as "/flight/AA/wrapper.html"; it may be anything.
    """
    folder = _folder()
    file = Path(folder, path.lstrip("/")).resolve()
    if not file.is_relative_to(folder) or not file.is_file():
        return None
    return mimetypes.guess_type(file.name)[0] or "application/octet-stream", file.read_bytes()


@cache
def _folder() -> Path:
    """Find the pages' folder."""
    spec = importlib.util.find_spec("miniwob")  # importing it would bring selenium
    if spec is None or not spec.submodule_search_locations:
        raise MissingDependencyError(
            "the tasks are in the package miniwob: pip install 'auniverse[world-of-bits]'"
        )
    return Path(spec.submodule_search_locations[0], "html").resolve()


@cache
def _pages() -> Mapping[str, str]:
    """Find the addresses of the tasks by their ids."""
    folder = _folder()
    pages = {
        task_id("mini", page.stem): page.as_uri() for page in sorted(folder.glob("miniwob/*.html"))
    }
    for page in sorted(folder.glob("flight/*/wrapper.html")):
        address = f"{_ORIGIN}/{page.relative_to(folder)}"
        pages[task_id("flight", page.parent.name)] = address
    return pages


def task_id(kind: str, name: str) -> str:
    """Return the id of the task in the page of that name: of use-colorwheel-2, UseColorwheel2."""
    words = "".join(word[:1].upper() + word[1:] for word in name.split("-"))
    return f"wob.{kind}.{words}-v0"
