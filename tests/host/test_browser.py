from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from auniverse.errors import MissingDependencyError
from auniverse.host import browser as browsers
from auniverse.host.browser import Browser
from auniverse.host.desktop import Desktop
from auniverse.host.program import ProgramCrashed

pytestmark = pytest.mark.apt


@asynccontextmanager
async def showing(page: Path, text: str) -> AsyncIterator[tuple[Browser, asyncio.Queue[str]]]:
    """A browser that shows a page, and what becomes of it."""
    await asyncio.to_thread(page.write_text, f"<!doctype html><body>{text}</body>")
    crashes: asyncio.Queue[str] = asyncio.Queue()
    async with Desktop((640, 480)) as desktop:
        browser = Browser(desktop, crashed=crashes.put_nowait)
        await browser.start()
        try:
            await browser.open(page.as_uri())
            yield browser, crashes
        finally:
            await browser.close()
        assert not (desktop.folder / "profile").exists()


def test_a_page_on_the_whole_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        heard: list[object] = []
        async with showing(tmp_path / "page.html", "hello") as (browser, crashes):
            # Chromium avoids a window as large as the screen, so it is one pixel larger.
            assert await browser.evaluate("() => [innerWidth, innerHeight]") == [641, 481]
            assert await browser.evaluate("x => x + 1", 41) == 42
            await browser.listen("tell", heard.append)
            await browser.evaluate("() => tell({a: [1]})")
            await browser.evaluate("() => tell()")
            assert heard == [{"a": [1]}, None]

            with pytest.raises(ProgramCrashed, match=r"^the page failed: Error: no such thing$"):
                await browser.evaluate("() => { throw new Error('no such thing') }")
            # Before pages that do not load: Chromium's own about that comes some time later.
            monkeypatch.setattr(browsers, "HUNG", 0.2)
            with pytest.raises(ProgramCrashed, match=r"did not answer for 0\.2 s"):
                await browser.evaluate("() => new Promise(() => {})")
            with pytest.raises(ProgramCrashed, match=r"absent\.html does not load"):
                await browser.open((tmp_path / "absent.html").as_uri())
            with pytest.raises(ProgramCrashed, match="does not load"):  # no names are looked up
                await browser.open("http://example.com/")
            assert crashes.empty()
        assert crashes.empty()  # closing is no crash
        with pytest.raises(ProgramCrashed, match="shows no page"):
            _ = browser.page

    asyncio.run(main())


def test_a_page_that_goes_away(tmp_path: Path) -> None:
    async def main() -> None:
        async with showing(tmp_path / "page.html", "hello") as (browser, crashes):
            await browser.page.close()
            async with asyncio.timeout(10):
                assert "closed" in await crashes.get()
            assert crashes.empty()  # told once

    asyncio.run(main())


def test_pages_that_only_this_browser_can_ask_for(tmp_path: Path) -> None:
    async def main() -> None:
        pages = {"/": ("text/html", b"<title>here</title>"), "/data": ("text/plain", b"42")}
        async with showing(tmp_path / "page.html", "hello") as (browser, crashes):
            await browser.serve("http://made.localhost", pages.get)
            await browser.open("http://made.localhost/?question")
            assert await browser.evaluate("() => document.title") == "here"
            script = (
                "async path => { const a = await fetch(path); return [a.status, await a.text()] }"
            )
            assert await browser.evaluate(script, "/data") == [200, "42"]
            assert await browser.evaluate(script, "/none") == [404, ""]
            with pytest.raises(ProgramCrashed, match=r"did not answer for 0\.1 s"):
                await browser.evaluate("() => new Promise(() => {})", patience=0.1)
            assert crashes.empty()

    asyncio.run(main())


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        await Browser(Desktop()).start()

    monkeypatch.setattr(browsers.shutil, "which", lambda name: None)
    with pytest.raises(MissingDependencyError, match="apt-get install chromium"):
        asyncio.run(main())
    monkeypatch.setitem(sys.modules, "playwright.async_api", None)
    with pytest.raises(MissingDependencyError, match=r"auniverse\[world-of-bits\]"):
        asyncio.run(main())


def test_no_sandbox_for_root_or_where_none_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(browsers.SANDBOX_VARIABLE, raising=False)
    for user, said, may in ((0, None, False), (1000, None, True), (1000, "no", False)):
        monkeypatch.setattr(browsers.os, "geteuid", lambda user=user: user)
        if said is not None:
            monkeypatch.setenv(browsers.SANDBOX_VARIABLE, said)
        assert browsers._may_sandbox() is may
