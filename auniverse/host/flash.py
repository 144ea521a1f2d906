"""Flash games: Ruffle in a browser, `flashgames.<Game>-v0`.

Each episode loads the game anew and goes through its menu. From then on a task looks at the picture
some times a second, asks what the game has said through ExternalInterface, and reports what that is
worth. The page and all that it loads are answered by this process: there is no web server.
"""

from __future__ import annotations

import asyncio
import logging
import math
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from auniverse.errors import UsageError
from auniverse.keysyms import keysym
from auniverse.rfb import Box
from auniverse.scoring import Agreement, Mark
from auniverse.shelf import ruffle_files

from .browser import Browser
from .desktop import Desktop
from .flash_game import Click, Game, Insist, Press, Step, Until, Wait, find_game
from .lookout import Lookout
from .program import Metadata, Outcome, ProgramCrashed, Report

_log = logging.getLogger(__name__)

#: Where Universe's games stood on the screen: agents of that time cut it out.
LEFT, TOP = 18, 84
#: Looks per second.
RATE = 10.0
#: Seconds between one click (or key) and the next, where a menu is clicked until it has gone.
INSISTENCE = 1.0
#: Seconds that a game may take to load.
LOADING = 45.0
_ORIGIN = "http://flash.localhost"
_SCRIPT = Path(__file__).with_name("flash.js")
_PAGE = b"""<!doctype html>
<body style="margin: 0; overflow: hidden; background: black">
<script src="/flash.js"></script><script src="/ruffle/ruffle.js"></script>
"""
_TYPES = {
    ".js": "text/javascript",
    ".wasm": "application/wasm",
    ".swf": "application/x-shockwave-flash",
}


class Flash:
    """The `LiveProgram` that plays Flash games, one at a time."""

    def __init__(self) -> None:
        self._game: Game | None = None
        self._browser: Browser | None = None
        self._lookout: Lookout | None = None
        self._stack = AsyncExitStack()
        self._watching: asyncio.Task[None] | None = None
        self._report: Report = lambda news: None
        self._score: float | None = None
        self._over = False
        self._puzzled = False
        self._agreement = Agreement()

    async def load(self, env_id: str, desktop: Desktop, report: Report) -> Metadata:
        """Find a game, and open the player's page in a new browser; see `LiveProgram`.

        Raises:
            UnknownEnvError: It is no id of a Flash game.
            ProvisionError: The game, the player or the browser is not here.
            UsageError: The game's files cannot be read, or the screen is too small for it.
            ProgramCrashed: The page does not come up.
        """
        game = await asyncio.to_thread(find_game, env_id)
        ruffle = {name: path.read_bytes() for name, path in ruffle_files().items()}
        width, height = LEFT + game.width, TOP + game.height
        if width > desktop.size[0] or height > desktop.size[1]:
            raise UsageError(
                f"{env_id} needs a screen of {width}x{height}: screen='{width}x{height}'"
            )
        await self.close()
        self._game, self._report = game, report
        files = {"/": _PAGE, "/flash.js": _SCRIPT.read_bytes()}
        files |= {f"/ruffle/{name}": data for name, data in ruffle.items()}
        files |= {f"/game/{name}": data for name, data in game.files.items()}
        files[f"/game/{game.name}.swf"] = game.swf

        def answer(path: str) -> tuple[str, bytes] | None:
            kind = _TYPES.get(Path(path).suffix, "text/html")
            return (kind, files[path]) if path in files else None

        self._browser = browser = Browser(desktop, crashed=self._crashed)
        self._stack.push_async_callback(browser.close)
        await browser.start()
        await browser.serve(_ORIGIN, answer)
        await browser.open(f"{_ORIGIN}/")
        box = Box(LEFT, TOP, game.width, game.height)
        self._lookout = await self._stack.enter_async_context(Lookout(desktop, box))
        await self._lookout.click(0, 0)  # it is the page now that gets what is typed
        return Metadata(
            env_id=env_id,
            fps=game.fps,
            width=desktop.size[0],
            height=desktop.size[1],
            actions=(),
            press="hold",
            keys=game.keys,
            pointer=game.pointer,
            text=False,
        )

    async def reset(self, seed: int | None) -> str | None:
        """Load the game anew and go through its menu; see `LiveProgram`."""
        await self._look_away()
        game, browser = self._game, self._browser
        if game is None or browser is None:
            raise ProgramCrashed("there is no game")
        self._score, self._over, self._puzzled = None, False, False
        heard = game.interface
        settings = {
            "file": f"{game.name}.swf",
            "seed": seed,
            "x": LEFT,
            "y": TOP,
            "width": game.width,
            "height": game.height,
            "calls": {"score": heard.score_call, "over": heard.over_call} if heard else {},
            "asks": {"score": heard.score_ask, "over": heard.over_ask} if heard else {},
        }
        begin = "game => window.auniverseBegin(game)"
        await browser.evaluate(begin, settings, patience=LOADING)
        for step in game.menu:
            await self._do(step)
        if game.screen is not None:
            game.screen.begin()
        if game.interface is not None:
            game.interface.judge.begin()
        self._agreement.begin()
        self._watching = asyncio.create_task(self._watch(game))
        return None

    async def close(self) -> None:
        """End the browser."""
        await self._look_away()
        self._game = self._browser = self._lookout = None
        await self._stack.aclose()

    # The menu.

    async def _do(self, step: Step) -> None:
        assert self._lookout is not None
        match step:
            case Click(x, y):
                await self._lookout.click(LEFT + x, TOP + y)
            case Press(key):
                await self._lookout.press(keysym(key))
            case Wait(seconds):
                await asyncio.sleep(seconds)
            case Until(mark, within):
                if not await self._sees(mark, within):
                    raise ProgramCrashed(
                        f"the menu did not show {_place(mark)} within {within:g} s"
                    )
            case Insist(deed, Until(mark, within)):
                end = asyncio.get_running_loop().time() + within
                await self._do(deed)
                while not await self._sees(mark, INSISTENCE):
                    if asyncio.get_running_loop().time() > end:
                        raise ProgramCrashed(
                            f"the menu did not show {_place(mark)} within {within:g} s, for all of "
                            f"{_name(deed)} (while a viewer holds a button, nobody else can click)"
                        )
                    await self._do(deed)

    async def _sees(self, mark: Mark, within: float) -> bool:
        """Wait until something is on the screen, or for some seconds; tell which."""
        assert self._lookout is not None
        try:
            async with asyncio.timeout(within):
                while not mark.is_on(await self._lookout.look(1 / RATE)):
                    pass
        except TimeoutError:
            return False
        return True

    # What the game earns.

    async def _watch(self, game: Game) -> None:
        """Look and report until the episode is over."""
        assert self._lookout is not None
        assert self._browser is not None
        loop = asyncio.get_running_loop()
        try:
            over = False
            while not over:
                due = loop.time() + 1 / RATE
                picture = await self._lookout.look(1 / RATE)
                if game.interface is not None:
                    # After the look: what has been drawn by now has been said by now.
                    self._hear(await self._browser.evaluate("() => window.auniverseHeard()"))
                over = self._judge(game, picture, loop.time())
                await asyncio.sleep(due - loop.time())
        except ProgramCrashed as crash:
            self._report(crash)

    def _judge(self, game: Game, picture: Any, now: float) -> bool:
        """Report what is new; return whether the episode is over."""
        sights = {}
        if game.screen is not None:
            sights["screen"] = game.screen.look(picture, now)
        if game.interface is not None:
            judge = game.interface.judge
            sights["interface"] = judge.judge(self._score, self._over, now, changed=True)
        if game.source not in sights:
            return False
        others = [sight for name, sight in sights.items() if name != game.source]
        counts = self._agreement.settle(sights[game.source], others, now)
        if counts.reward or counts.over:
            info: dict[str, Any] = {f"score_{name}": sight.score for name, sight in sights.items()}
            if counts.reason:
                info["ended_by"] = counts.reason
            late = bool(counts.reason)
            self._report(Outcome(counts.reward, counts.over and not late, late, None, info))
        return counts.over

    def _hear(self, told: Any) -> None:
        """Take what the game has said last. It is a game: it may say anything."""
        match told:
            case {"score": int() | float() as score} if math.isfinite(score):
                self._score = float(score)
            case {"score": _} | {"failed": _} if not self._puzzled:
                self._puzzled = True
                _log.warning("the game says what is no score: %.400r", told)
        match told:
            case {"over": True}:
                self._over = True

    def _crashed(self, reason: str) -> None:
        self._report(ProgramCrashed(reason))

    async def _look_away(self) -> None:
        watching, self._watching = self._watching, None
        if watching is not None:
            watching.cancel()
            await asyncio.wait((watching,))


def _place(mark: Mark) -> str:
    """Return what a menu's mark is, in words."""
    x, y, width, height = mark.region
    red, green, blue, _ = mark.paint
    return f"its colour ({red} {green} {blue}) at ({x}, {y}), {width}x{height},"


def _name(deed: Click | Press) -> str:
    return f"clicks at ({deed.x}, {deed.y})" if isinstance(deed, Click) else f"{deed.key} pressed"
