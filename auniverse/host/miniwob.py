"""World of Bits: the tasks of MiniWoB++ in a browser, `wob.mini.<Task>-v0`.

The pages are those of the package `miniwob`, unchanged. They keep their state in globals; a script
put into the page begins episodes, and says when one has ended and with which reward. The page's
own START cover is left out: the host begins the episodes, the next one in the same page.
"""

from __future__ import annotations

import difflib
import importlib.util
import logging
import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from auniverse.errors import MissingDependencyError, UnknownEnvError

from .browser import Browser
from .desktop import Desktop
from .program import Metadata, Outcome, ProgramCrashed, Report

_log = logging.getLogger(__name__)

PREFIX = "wob.mini."
SUFFIX = "-v0"
FPS = 30.0
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
        self._episode = 0
        self._report: Report = lambda news: None

    async def load(self, env_id: str, desktop: Desktop, report: Report) -> Metadata:
        """Open a task's page, in a new browser if there is none that works; see `LiveProgram`.

        Raises:
            UnknownEnvError: There is no such task; the message gives near names.
            MissingDependencyError: The package `miniwob`, Playwright or Chromium is missing.
            ProgramCrashed: The page does not come up.
        """
        page = find_page(env_id)
        self._report = report
        if self._browser is not None and env_id == self._env_id:
            await self.close()  # asked for anew: whatever was there has failed
        if self._browser is None:
            await self._start(desktop)
        assert self._browser is not None
        await self._browser.open(page.as_uri())
        await self._browser.evaluate(_SCRIPT.read_text())
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
        """Begin an episode in the page that is there; see `LiveProgram`."""
        if self._browser is None:
            raise ProgramCrashed("there is no browser")
        self._episode += 1
        script = "words => window.auniverseBegin(...words)"
        text = await self._browser.evaluate(script, [self._episode, seed, self._limit])
        return text if isinstance(text, str) else ""

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

    def _crashed(self, reason: str) -> None:
        self._report(ProgramCrashed(reason))

    def _ended(self, told: Any) -> None:
        """The page says that an episode is over. It is a page: it may say anything."""
        match told:
            case {"episode": self._episode, "reward": int() | float() as reward} if math.isfinite(
                reward
            ):
                late = bool(told.get("timed_out"))
                info = {"raw_reward": told.get("raw"), "timed_out": late}
                self._report(Outcome(float(reward), not late, late, None, info))
            case {"episode": self._episode}:
                self._report(ProgramCrashed(f"the page gives a reward that is none: {told!r:.200}"))

    def _said(self, told: Any) -> None:
        match told:
            case {"episode": self._episode, "text": str(text)}:
                self._report(Outcome(0.0, False, False, text, {}))


def find_page(env_id: str) -> Path:
    """Return the file of a task.

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


@cache
def _pages() -> Mapping[str, Path]:
    """Find the tasks by their names: of `use-colorwheel-2.html` that is UseColorwheel2."""
    spec = importlib.util.find_spec("miniwob")  # importing it would bring selenium
    if spec is None or not spec.submodule_search_locations:
        raise MissingDependencyError(
            "the tasks are in the package miniwob: pip install 'auniverse[world-of-bits]'"
        )
    folder = Path(spec.submodule_search_locations[0], "html", "miniwob")
    return {task_id(page.stem): page for page in sorted(folder.glob("*.html"))}


def task_id(stem: str) -> str:
    """Return the id of the task in the page of that name."""
    return PREFIX + "".join(word.capitalize() for word in stem.split("-")) + SUFFIX
