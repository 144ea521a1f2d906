"""A browser on a desktop: Chromium without a frame, driven over CDP through Playwright.

The browser shows one page on the whole screen, with a new profile every time it is started. It
reaches nothing but files of this machine and loopback unless it is let. The DevTools protocol runs
over a pipe, so that nobody else can speak it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from auniverse.errors import MissingDependencyError, ProvisionError

from .desktop import Desktop
from .program import ProgramCrashed

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Page, Playwright, Route

_log = logging.getLogger(__name__)

_CALL = re.compile(r"^Page\.\w+: ")
_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
#: Seconds for the browser to start.
PATIENCE = 30.0
#: Seconds for a page to load.
LOADING = 30.0
#: Seconds that a page may take to answer before it counts as hung.
HUNG = 10.0

_ARGUMENTS = (
    "--kiosk",
    "--window-position=0,0",
    "--no-first-run",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-infobars",
    "--password-store=basic",
    "--disable-pinch",
    "--overscroll-history-navigation=0",
)
#: No name is looked up, and addresses count as names.
_OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"
#: WebRTC sends its datagrams past that rule: it gets no UDP at all then.
_NO_DATAGRAMS = "--webrtc-ip-handling-policy=disable_non_proxied_udp"


#: "no" where nothing may make a sandbox, as in our containers, which are one themselves.
SANDBOX_VARIABLE = "AUNIVERSE_BROWSER_SANDBOX"


class Browser:
    """Chromium, showing one page on a desktop.

    Args:
        desktop: Where.
        network: The hosts that it may reach besides this machine; None: all.
        crashed: Called once when the page or the browser is gone without having been closed.
    """

    def __init__(
        self,
        desktop: Desktop,
        *,
        network: tuple[str, ...] | None = (),
        crashed: Callable[[str], None] = lambda reason: None,
    ) -> None:
        self._desktop = desktop
        self._network = network
        self._crashed = crashed
        self._playwright: Playwright | None = None
        self._context: BrowserContext | None = None
        self._closing = False

    @property
    def page(self) -> Page:
        """What it shows.

        Raises:
            ProgramCrashed: The browser does not run.
        """
        if self._context is None or not self._context.pages:
            raise ProgramCrashed("the browser shows no page")
        return self._context.pages[0]

    async def start(self) -> None:
        """Start it with an empty profile.

        Raises:
            MissingDependencyError: Playwright or Chromium is not installed.
            ProvisionError: It does not start.
        """
        try:
            from playwright.async_api import Error, async_playwright
        except ImportError as exc:
            raise MissingDependencyError(
                "browsers are driven by Playwright: pip install 'auniverse[world-of-bits]'"
            ) from exc
        program = next(filter(None, map(shutil.which, _NAMES)), None)
        if program is None:
            raise MissingDependencyError("there is no Chromium here: apt-get install chromium")
        self._playwright = await async_playwright().start()
        width, height = self._desktop.size  # a window just as large would come out smaller
        arguments = [*_ARGUMENTS, f"--window-size={width + 1},{height + 1}"]
        if self._network is not None:
            arguments.append(", ".join([_OFFLINE, *(f"EXCLUDE {host}" for host in self._network)]))
            arguments.append(_NO_DATAGRAMS)
        try:
            self._context = await self._playwright.chromium.launch_persistent_context(
                self._desktop.folder / "profile",
                executable_path=program,
                headless=False,
                args=arguments,
                ignore_default_args=["--enable-automation"],
                chromium_sandbox=_may_sandbox(),
                env=dict(self._desktop.environment),
                no_viewport=True,
                timeout=PATIENCE * 1e3,
                handle_sigint=False,
                handle_sigterm=False,
                handle_sighup=False,
            )
        except Error as exc:
            await self.close()
            raise ProvisionError(f"{program} does not start: {exc.message}") from exc
        self._context.on("close", lambda _: self._lost("the browser ended"))
        page = self.page
        page.on("crash", lambda _: self._lost("the page crashed"))
        page.on("close", lambda _: self._lost("the page was closed"))

    async def close(self) -> None:
        """End it; idempotent."""
        self._closing = True
        context, self._context = self._context, None
        playwright, self._playwright = self._playwright, None
        if playwright is not None:
            from playwright.async_api import Error

            try:
                if context is not None:
                    await context.close()
            except Error as exc:  # it may be the browser that is broken
                _log.info("while closing: %s", exc.message)
            await playwright.stop()
        shutil.rmtree(self._desktop.folder / "profile", ignore_errors=True)

    async def open(self, url: str) -> None:
        """Show a page; returns when it has loaded.

        Raises:
            ProgramCrashed: It does not load.
        """
        from playwright.async_api import Error

        try:
            await self.page.goto(url, timeout=LOADING * 1e3)
        except Error as exc:
            raise ProgramCrashed(f"{url} does not load: {_gist(exc.message)}") from exc

    async def evaluate(
        self, script: str, argument: Any = None, *, patience: float | None = None
    ) -> Any:
        """Run a function in the page; return its result, a JSON value.

        Args:
            script: The function, in JavaScript.
            argument: What it gets, a JSON value.
            patience: Seconds that it may take; None: as long as a page is let think (`HUNG`).

        Raises:
            ProgramCrashed: The page throws, is gone, or hangs.
        """
        from playwright.async_api import Error

        seconds = HUNG if patience is None else patience
        try:
            async with asyncio.timeout(seconds):
                return await self.page.evaluate(script, argument)
        except TimeoutError:
            raise ProgramCrashed(f"the page did not answer for {seconds:g} s") from None
        except Error as exc:
            raise ProgramCrashed(f"the page failed: {_gist(exc.message)}") from exc

    async def listen(self, name: str, heard: Callable[[Any], None]) -> None:
        """Let pages call `window.<name>(value)`; `heard` gets the value, whatever the page said."""
        assert self._context is not None
        await self._context.expose_binding(name, lambda source, value=None: heard(value))

    async def serve(self, origin: str, files: Callable[[str], tuple[str, bytes] | None]) -> None:
        """Answer what pages ask an origin for, without a server that others could ask too.

        Args:
            origin: Such as "http://flash.localhost".
            files: Gets a path, such as "/index.html"; returns its type and content, None if there
                is none.
        """
        assert self._context is not None

        async def answer(route: Route) -> None:
            found = files(urlsplit(route.request.url).path)
            kind, body = found or ("text/plain", b"")
            await route.fulfill(status=200 if found else 404, content_type=kind, body=body)

        await self._context.route(f"{origin}/**", answer)

    def _lost(self, reason: str) -> None:
        if not self._closing:
            self._closing = True
            self._crashed(reason)


def _gist(message: str) -> str:
    """Return what Playwright says, without the name of its call and all that it adds."""
    return _CALL.sub("", message.partition("\n")[0])


def _may_sandbox() -> bool:
    """Tell whether Chromium can have its sandbox: as root it has none to offer."""
    return os.geteuid() != 0 and os.environ.get(SANDBOX_VARIABLE) != "no"
