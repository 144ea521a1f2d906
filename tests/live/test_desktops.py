"""Browsers in containers: the images, their parents, and what is shown and clicked in them."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_network
from pathlib import Path

import numpy as np
import pytest

from auniverse.remotes import launch
from auniverse.runtimes import with_settings
from auniverse.session import connect

from ..cli.command import auniverse
from ..engine import docker

pytestmark = [
    pytest.mark.docker,
    pytest.mark.xdist_group("docker"),
    pytest.mark.usefixtures("image"),
]
#: Seconds allowed; it takes a minute or two where nothing is cached.
BUILDING = 400
#: Where the page is below its instruction, and the colour of its button.
PAGE, BUTTON = (slice(51, 210), slice(160)), (239, 239, 239)


def test_a_browser_is_built_and_a_click_in_it_rewarded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    fresh = auniverse("build", "world-of-bits", "--json", timeout=BUILDING)
    assert fresh.returncode == 0, fresh.stderr[-2000:]
    built = json.loads(fresh.stdout)
    assert built["size"] < 900e6
    again = auniverse("build", "world-of-bits", "--json")
    assert again.stderr.splitlines() == [
        "auniverse/vnc:1 is up to date",
        "auniverse/browser:1 is up to date",
        "auniverse/world-of-bits:1 is up to date",
    ]
    assert asyncio.run(click()) > 0


async def click() -> float:
    """Click on the one button there is; return what the page gave for it."""
    async with (
        launch("world-of-bits", backend="docker") as fleet,
        connect(fleet[0], env_id="wob.mini.ClickTest-v0") as session,
    ):
        picture, _ = await session.reset(seed=0)
        over = False
        while not over:  # until it is seen and hit
            rows, columns = np.nonzero((picture[PAGE] == BUTTON).all(axis=2))
            events = []
            if rows.size:
                x = (columns.min() + columns.max()) // 2
                y = PAGE[0].start + (rows.min() + rows.max()) // 2
                events = [("PointerEvent", int(x), int(y), buttons) for buttons in (0, 1, 0)]
            picture, _, terminated, truncated, info = await session.step(events)
            over = terminated or truncated
        return float(info["raw_reward"])


def test_a_flash_game_is_built_and_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    fresh = auniverse("build", "flashgames", "--json", timeout=BUILDING)
    assert fresh.returncode == 0, fresh.stderr[-2000:]
    assert json.loads(fresh.stdout)["size"] < 900e6
    play = ("run", "flashgames.StarCatch-v0", "--remotes", "docker:1", "--seconds", "12", "--json")
    played = json.loads(auniverse(*play, timeout=120).stdout)
    assert played["faults"] == 0
    assert played["episodes"] > 0  # nobody catches the stars


PAGE_OF_CLICKS = b"<html style='height: 100%' onclick='clicks += 1'><script>clicks = 0</script>"


class Page(BaseHTTPRequestHandler):
    """Answers with a page that counts the clicks on it."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(PAGE_OF_CLICKS)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    """A page on this machine, at an address that containers reach."""
    subnet = "{{(index .IPAM.Config 0).Subnet}}"  # an engine's first one tells no gateway
    seen = docker(os.environ["DOCKER_HOST"], "network", "inspect", "bridge", "--format", subnet)
    gateway = str(ip_network(seen.stdout.strip())[1])
    with HTTPServer((gateway, 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://{server.server_address[0]}:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_a_page_of_the_network_is_shown_in_a_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    fresh = auniverse("build", "internet", "--json", timeout=BUILDING)
    assert fresh.returncode == 0, fresh.stderr[-2000:]

    async def main() -> None:
        env_id = with_settings("internet.Page-v0", {"url": url, "score": "clicks"})
        async with (
            launch("internet", backend="docker", env_id=env_id) as fleet,
            connect(fleet[0], env_id=env_id) as session,
        ):
            await session.reset()
            reward = 0.0
            async with asyncio.timeout(30):
                while not reward:
                    click = [("PointerEvent", 300, 300, buttons) for buttons in (0, 1, 0)]
                    _, reward, *_ = await session.step(click)

    asyncio.run(main())
