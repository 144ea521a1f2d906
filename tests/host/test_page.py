from __future__ import annotations

import asyncio
import http.server
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from auniverse.errors import UsageError
from auniverse.host import browser
from auniverse.host.desktop import Desktop
from auniverse.host.page import WebPage, _number, read_site
from auniverse.host.program import Outcome, ProgramCrashed
from auniverse.runtimes import env, with_settings

News = Outcome | ProgramCrashed
PAGE = b"""<!doctype html><title>test</title><body style="background: green">
<script>
let asked = 0, visits = Number(localStorage.visits || 0) + 1;
localStorage.visits = visits;
</script>"""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(PAGE)

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def page(**settings: object) -> str:
    return with_settings("internet.Page-v0", settings)


@asynccontextmanager
async def showing(env_id: str) -> AsyncIterator[tuple[WebPage, str | None, asyncio.Queue[News]]]:
    news: asyncio.Queue[News] = asyncio.Queue()
    program = WebPage()
    async with Desktop((640, 480)) as desktop:
        try:
            await program.load(env_id, desktop, news.put_nowait)
            yield program, await program.reset(None), news
        finally:
            await program.close()


async def heard(news: asyncio.Queue[News]) -> Any:
    async with asyncio.timeout(20):
        return await news.get()


@pytest.mark.apt
def test_what_the_page_says_is_the_reward_in_a_new_profile_each_time(url: str) -> None:
    async def main() -> None:
        env_id = page(url=url, score="asked += 5", over="asked > 19", text="`visit ${visits}`")
        async with showing(env_id) as (program, text, news):
            for _ in range(2):
                assert text == "visit 1"
                earned = 0.0
                while not (outcome := await heard(news)).terminated:
                    earned += outcome.reward
                assert outcome.info["score"] == 20
                assert earned + outcome.reward == 15  # what it had at first was not earned
                text = await program.reset(None)

    asyncio.run(main())


@pytest.mark.apt
def test_a_page_without_a_reward_has_a_limit(url: str) -> None:
    async def main() -> None:
        async with showing(page(url=url, limit=0.2)) as (_, text, news):
            assert text == ""
            assert await heard(news) == Outcome(0.0, False, True, None, {})

    asyncio.run(main())


@pytest.mark.apt
@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("asked++ && 'many'", "score: the page gives 'many' where a number should be"),
        ("asked++ && NaN", "score: the page gives nan where a number should be"),
        ("asked++ ? new Promise(() => {}) : 0", r"did not answer for 0\.5 s \(in score\)"),
        ("asked++ && nothing.at.all", r"nothing is not defined[^$]*\(in score\)"),
    ],
)
def test_a_bad_reward_is_a_crash_that_says_which(
    url: str, script: str, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with showing(page(url=url, score=script)) as (_, _, news):
            monkeypatch.setattr(browser, "HUNG", 0.5)
            outcome = await heard(news)
            assert isinstance(outcome, ProgramCrashed)
            with pytest.raises(ProgramCrashed, match=complaint):
                raise outcome

    asyncio.run(main())


@pytest.mark.apt
def test_a_page_that_does_not_load() -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as gone:
            nobody = f"http://127.0.0.1:{gone.getsockname()[1]}/"
        with pytest.raises(
            ProgramCrashed, match=r"load: net::ERR_CONNECTION_REFUSED .*\(is it serv"
        ):
            async with showing(page(url=nobody)):
                pass

    asyncio.run(main())


@pytest.mark.apt
@pytest.mark.parametrize(
    "page_begins",
    [b"", b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n<script>for (;;);</script>"],
    ids=["says nothing", "does not end", "hangs"],
)
def test_a_page_that_never_has_loaded(monkeypatch: pytest.MonkeyPatch, page_begins: bytes) -> None:
    monkeypatch.setattr(browser, "LOADING", 1.0)

    async def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(page_begins)
        try:
            await reader.read()  # until the browser gives up
        finally:
            writer.close()

    async def main() -> None:
        async with await asyncio.start_server(begin, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            async with asyncio.timeout(30):  # closing what hangs takes no longer
                with pytest.raises(ProgramCrashed, match=r"does not load: .*Timeout 1000ms"):
                    async with showing(page(url=url)):
                        pass

    asyncio.run(main())


#: Another machine, as a browser sees it: all that is excepted from the rule is 127.0.0.1.
ELSEWHERE = "127.0.0.2"
FETCHES = "() => fetch(`http://{}/`, {{mode: 'no-cors'}}).then(() => 'reached', () => 'refused')"
SOCKETS = """() => new Promise(done => {{
    const socket = new WebSocket('ws://{}/');
    socket.onopen = () => done('reached');
    socket.onerror = () => done('refused');
}})"""

#: How datagrams are sent to a place; either ends once there is nobody left to ask.
DATAGRAMS = {
    "WebRTC": """() => new Promise(async done => {{
        const peer = new RTCPeerConnection({{iceServers: [{{urls: 'stun:{}'}}]}});
        const asked = () => peer.iceGatheringState === 'complete' && done();
        peer.onicegatheringstatechange = asked;
        peer.createDataChannel('test');
        await peer.setLocalDescription(await peer.createOffer());
    }})""",
    "QUIC": "() => new WebTransport('https://{}/').ready.catch(() => 0)",
}
STUN = bytes.fromhex("2112a442")  # stands in every one of its messages (RFC 5389, section 6)


@pytest.mark.apt
@pytest.mark.parametrize(
    ("network", "may"),
    [("", set()), (ELSEWHERE, {"QUIC"}), ("any", {"QUIC", "WebRTC"})],
)
def test_datagrams_that_it_may_send(url: str, network: str, may: set[str]) -> None:
    heard: set[str] = set()
    enough = asyncio.Event()

    class Ear(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, sender: tuple[str, int]) -> None:
            heard.add("WebRTC" if data[4:8] == STUN else "QUIC")
            if heard >= may:
                enough.set()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        ear, _ = await loop.create_datagram_endpoint(Ear, (ELSEWHERE, 0))
        there = "{}:{}".format(*ear.get_extra_info("sockname"))
        try:
            async with showing(page(url=url, network=network)) as (program, _, _):
                shown = program._browser
                assert shown is not None
                sending = {
                    kind: asyncio.create_task(shown.evaluate(script.format(there)))
                    for kind, script in DATAGRAMS.items()
                }
                for kind in sending.keys() - may:
                    await sending.pop(kind)
                if may:  # nobody answers, so that they would ask for long
                    await enough.wait()
                for task in sending.values():
                    task.cancel()
                await asyncio.gather(*sending.values(), return_exceptions=True)
        finally:
            ear.close()
        assert heard == may

    asyncio.run(main())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, "many", True, [1]])
def test_what_is_no_number_is_a_crash(value: object) -> None:
    with pytest.raises(ProgramCrashed, match=r"score: the page gives .* where a number should be"):
        _number({"score": value}, "score")


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({}, r"internet\.Page-v0 needs a page: url='https://\.\.\.' where it is made"),
        ({"url": "file:///etc/passwd"}, "must be an address such as"),
        ({"url": "http://[::1"}, "must be an address such as"),
        ({"url": "http://a", "network": "b, EXCLUDE *"}, "which is no host's name"),
        ({"url": "http://a", "poll": 0}, "poll must lie between"),
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, object], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        read_site(env(page(**settings)))


def test_a_page_of_universe_has_to_be_brought() -> None:
    with pytest.raises(UsageError, match=r"Signup-3-v0 needs a page \(Universe's is not what it"):
        read_site(env("wob.real.Signup-3-v0"))
    stands_in = with_settings("wob.real.Signup-3-v0", {"url": "https://a.b/c", "score": "done"})
    assert read_site(env(stands_in)).scripts == {"score": "done"}
    slither = read_site(env("internet.SlitherIO-v0"))
    assert (slither.url, slither.network) == ("http://slither.io/", None)


def test_whom_the_browser_reaches() -> None:
    assert read_site(env(page(url="https://a.b/c"))).network == ("a.b",)
    assert read_site(env(page(url="https://a.b/c", network="d *.e"))).network == ("a.b", "d", "*.e")
    assert read_site(env(page(url="https://a.b/c", network="any"))).network is None
