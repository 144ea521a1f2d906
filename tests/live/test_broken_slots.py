"""One broken program beside healthy ones: its episode is a fault without a reward, theirs go on."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import numpy as np
import pytest

from auniverse.host import browser, xprogram
from auniverse.host.live_host import LiveHost
from auniverse.host.page import WebPage
from auniverse.host.xprogram import XProgram
from auniverse.runtimes import env, read_sections, with_settings
from auniverse.vector import SessionPool

pytestmark = [pytest.mark.apt, pytest.mark.xdist_group("browser")]

#: The steady page earns at every third look, the others once an episode, all as much.
WORTH = 5.0
PAGE = b"""<!doctype html><script>
let looks = 0;
const score = () => 5 * (location.search ? Math.floor(++looks / 3) : Number(++looks > 3));
</script>"""
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(PAGE)
PROGRAM = """\
program:
  command: sh -c 'xterm -geometry 20x5+0+0 -e sleep 600 & sleep 1; echo hit; wait'
  reward: {log: output, rules: {hit: 5}}
"""


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve the page, whatever is asked for."""
    try:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + PAGE)
        await writer.drain()
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def crash(program: WebPage) -> None:
    from playwright.async_api import Error

    assert program._browser is not None
    page = program._browser.page
    devtools = await page.context.new_cdp_session(page)
    with suppress(Error, TimeoutError):  # whoever asks for it gets no answer
        async with asyncio.timeout(2.0):
            await devtools.send("Page.crash")


async def hang(program: WebPage) -> None:
    assert program._browser is not None
    await program._browser.evaluate("() => void setTimeout(() => { for (;;); })")


async def kill(program: XProgram) -> None:
    assert program._process is not None
    os.kill(program._process.pid, signal.SIGKILL)


@asynccontextmanager
async def hosts(env_ids: list[str]) -> AsyncIterator[list[LiveHost]]:
    async with AsyncExitStack() as stack:
        open_hosts = []
        for env_id in env_ids:
            program = WebPage() if env_id.startswith("internet.") else XProgram()
            host = LiveHost(program, env_id=env_id, screen="640x480")
            open_hosts.append(await stack.enter_async_context(host))
            running = asyncio.create_task(host.run())
            stack.push_async_callback(asyncio.wait, (running,))
            stack.callback(running.cancel)
        yield open_hosts


@pytest.mark.timeout(120)
def test_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "HUNG", 1.0)
    settings = read_sections(PROGRAM, "test.yml").section("program")
    found = dataclasses.replace(env("desktop.Arithmetic-v0"), program=settings)
    monkeypatch.setattr(xprogram, "find_env", lambda env_id: found)

    async def main() -> None:
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            url = f"http://127.0.0.1:{port}/"
            steady, page = (
                with_settings("internet.Page-v0", {"url": url + which, "score": "score()"})
                for which in ("?steady", "")
            )
            await play([steady, page, page, "desktop.Arithmetic-v0"])

    async def play(env_ids: list[str]) -> None:
        reasons: dict[int, str] = {}
        paid: dict[int, float] = {}  # what a slot had earned when it failed
        earned, playing = np.zeros(len(env_ids)), len(env_ids)
        async with hosts(env_ids) as far:
            remotes = [host.remote for host in far]
            async with SessionPool(remotes, env_id=env_ids, fps=10, reset_timeout=60) as pool:

                async def step() -> None:
                    nonlocal playing
                    batch = await pool.step([[]] * playing)
                    playing = len(batch.env_ids)  # who begins an episode is not asked to act
                    earned[batch.env_ids] += batch.rewards
                    for row in np.flatnonzero(~batch.infos["valid"]):
                        slot = int(batch.env_ids[row])
                        assert slot not in reasons, "one fault each"
                        assert (batch.rewards[row], batch.truncations[row]) == (0.0, True)
                        reasons[slot] = batch.infos["reason"][row]
                        paid[slot] = float(earned[slot])

                await pool.reset()
                while not earned.all():
                    await step()
                before = earned[0]
                for trouble, host in zip((crash, hang, kill), far[1:], strict=True):
                    await trouble(host._program)
                while len(reasons) < 3:
                    await step()
                assert paid == dict.fromkeys((1, 2, 3), WORTH)
                assert earned[0] > before
                while not (earned[1:] > WORTH).all():  # the next episodes
                    await step()
        assert earned[1:].tolist() == [2 * WORTH] * 3
        assert earned[0] % WORTH == 0
        assert "crashed" in reasons[1]
        assert "did not answer for 1 s" in reasons[2]
        assert "was killed by signal 9" in reasons[3]

    asyncio.run(main())
