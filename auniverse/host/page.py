"""Any page of the web as an environment: `internet.Page-v0?url=...`, or one of your own by YAML.

Every episode has a new browser with an empty profile. Rewards are what expressions of JavaScript
give in the page, some times a second, or what a scorer reads off the screen; either is the page's
word, so they are checked. The browser reaches the page's own host, and whom `network` names.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from auniverse.errors import UsageError
from auniverse.rfb import Box
from auniverse.runtimes import Env
from auniverse.runtimes import env as find_env
from auniverse.scoring import ScreenScorer, read_scorer

from .browser import Browser
from .desktop import Desktop
from .lookout import Lookout
from .program import (
    LONGEST,
    Finding,
    Metadata,
    ProgramCrashed,
    Report,
    describe,
    is_number,
    settings_of,
)

#: Looks in a row that a page which is on its way to another may not answer.
MAX_MOVING = 50
_MOVING = ("context was destroyed", "navigat")


@dataclass(frozen=True, slots=True)
class Site:
    """How a page is shown and rewarded.

    Attributes:
        url: Which page.
        network: The hosts that the browser reaches besides this machine; None: all.
        scripts: Expressions of JavaScript by their role: "score", "reward", "over" and "text".
        poll: Seconds between two looks.
        limit: Seconds of an episode; 0: no limit.
        screen: Reads rewards off the screen.
    """

    url: str
    network: tuple[str, ...] | None
    scripts: dict[str, str]
    poll: float
    limit: float
    screen: ScreenScorer | None


def read_site(env: Env) -> Site:
    """Read the settings of a page.

    Raises:
        UsageError: Something is missing or makes no sense; the message names file, line and key.
    """
    section = settings_of(env)
    if "url" not in section:
        gone = " (Universe's is not what it was: one that takes its place)" if env.brought else ""
        raise UsageError(
            f"{env.env_id} needs a page{gone}: url='https://...' where it is made, or the id "
            f"{env.env_id}?url=https%3A%2F%2F...; what it earns is said by score= or reward="
        )
    url = section.text("url")
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not host:
        section.refuse(f"must be an address such as https://example.org, not {url[:200]!r}", "url")
    words = section.text("network", "").split()
    for word in words:
        if not all(letter.isalnum() or letter in "-.*" for letter in word):
            section.refuse(f"holds {word[:100]!r}, which is no host's name", "network")
    roles = ("score", "reward", "over", "text")
    site = Site(
        url=url,
        network=None if words == ["any"] else (host, *words),
        scripts={role: section.text(role) for role in roles if role in section},
        poll=section.number("poll", 0.02, 60, 0.1),
        limit=section.number("limit", 0, 1e6, 0.0),
        screen=read_scorer(section.section("screen")) if "screen" in section else None,
    )
    section.finish()
    return site


class WebPage:
    """The `LiveProgram` that shows pages of the web, one at a time."""

    def __init__(self) -> None:
        self._site: Site
        self._desktop: Desktop
        self._report: Report = lambda news: None
        self._browser: Browser | None = None
        self._lookout: Lookout | None = None
        self._stack = AsyncExitStack()
        self._watching: asyncio.Task[None] | None = None
        self._score: float | None = None
        self._text = ""

    async def load(self, env_id: str, desktop: Desktop, report: Report) -> Metadata:
        """Read which page it is; see `LiveProgram`.

        Raises:
            UsageError: There is no such environment, or its settings make no sense.
        """
        env = find_env(env_id)
        site = read_site(env)
        await self.close()
        self._site, self._desktop, self._report = site, desktop, report
        return describe(env, desktop.size)

    async def reset(self, seed: int | None) -> str | None:
        """Show the page in a new browser; see `LiveProgram`.

        Raises:
            MissingDependencyError: Playwright or Chromium is missing.
            ProgramCrashed: The page does not load, or a script of ours fails in it.
        """
        await self.close()
        site = self._site
        self._browser = browser = Browser(
            self._desktop, network=site.network, crashed=self._crashed
        )
        self._stack.push_async_callback(browser.close)
        await browser.start()
        try:
            await browser.open(site.url)
        except ProgramCrashed as crash:
            raise ProgramCrashed(f"{crash} (is it served, and does network= allow it?)") from crash
        if site.screen is not None:
            lookout = Lookout(self._desktop, Box(0, 0, *self._desktop.size))
            self._lookout = await self._stack.enter_async_context(lookout)
            site.screen.begin()
        self._score, self._text = None, ""
        told = await self._ask()
        self._judge(told)
        self._watching = asyncio.create_task(self._watch())
        return self._text

    async def close(self) -> None:
        """End the browser."""
        watching, self._watching = self._watching, None
        if watching is not None:
            watching.cancel()
            await asyncio.wait((watching,))
        self._browser = self._lookout = None
        await self._stack.aclose()

    def _crashed(self, reason: str) -> None:
        self._report(ProgramCrashed(reason))

    async def _watch(self) -> None:
        """Look and report until the episode is over."""
        loop = asyncio.get_running_loop()
        begun, moving, over = loop.time(), 0, False
        try:
            while not over:
                await asyncio.sleep(self._site.poll)
                late = bool(self._site.limit) and loop.time() - begun > self._site.limit
                try:
                    told = await self._ask()
                    moving = 0
                except ProgramCrashed as crash:
                    moving += 1
                    if moving > MAX_MOVING or not any(word in str(crash) for word in _MOVING):
                        raise
                    told = {}
                over = await self._look(told, late, loop.time())
        except ProgramCrashed as crash:
            self._report(crash)

    async def _look(self, told: dict[str, Any], late: bool, now: float) -> bool:
        """Report what is new; return whether the episode is over."""
        before = self._text
        reward, over = self._judge(told)
        finding = Finding(late=late)
        finding.add(reward, over, self._score)
        if self._site.screen is not None and self._lookout is not None:
            picture = await self._lookout.look(self._site.poll)
            finding.see(self._site.screen.look(picture, now))
        finding.text = self._text if self._text != before else None
        return finding.tell(self._report)

    async def _ask(self) -> dict[str, Any]:
        """Let the page say what our expressions are worth, by their role."""
        if self._browser is None:
            raise ProgramCrashed("there is no browser")
        if not self._site.scripts:
            await self._browser.evaluate("() => 0")  # whether it still answers
            return {}
        pairs = (
            f"{json.dumps(role)}: await ({script})" for role, script in self._site.scripts.items()
        )
        try:
            told = await self._browser.evaluate(f"async () => ({{{', '.join(pairs)}}})")
        except ProgramCrashed as crash:
            raise ProgramCrashed(f"{crash} (in {' or '.join(self._site.scripts)})") from crash
        return told if isinstance(told, dict) else {}

    def _judge(self, told: dict[str, Any]) -> tuple[float, bool]:
        """Return the reward and whether the episode is over; remember score and text."""
        reward = _number(told, "reward") or 0.0
        score = _number(told, "score")
        if score is not None:
            reward += 0.0 if self._score is None else score - self._score
            self._score = score
        text = told.get("text")
        self._text = text[:LONGEST] if isinstance(text, str) else self._text
        return reward, bool(told.get("over"))


def _number(told: dict[str, Any], role: str) -> float | None:
    """Return what an expression gave; null means nothing new.

    Raises:
        ProgramCrashed: It gave no finite number.
    """
    value = told.get(role)
    if value is None:
        return None
    if not is_number(value):
        raise ProgramCrashed(
            f"{role}: the page gives {value!r:.100} where a number should be; see its expression"
        )
    return float(value)
