"""Our client against servers that nobody wrote for it, in every encoding that it offers."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress

import numpy as np
import pytest

from auniverse.links import open_vnc
from auniverse.recording import is_lossless
from auniverse.rfb import LINKS, Decoder, Encoding, KeyEvent, PointerEvent
from tests.servers import tightvnc, x11vnc
from tests.tigervnc import tigervnc, xterm

RETURN = 0xFF0D
PAINTERS = [
    Encoding(number)
    for number in Decoder.encodings
    if 0 <= number < 256 and number != Encoding.COPY_RECT
]
OFFERS = {name: offer for name, offer in LINKS.items() if is_lossless(offer)} | {
    f"only {encoding.name}": (encoding, Encoding.COPY_RECT, Encoding.DESKTOP_SIZE)
    for encoding in PAINTERS
}


@pytest.mark.apt
@pytest.mark.parametrize("server", [x11vnc, tightvnc, tigervnc])
def test_every_encoding_shows_the_same_picture_of_a_real_server(tmp_path, server):
    """One server, a viewer for each offer, one that types; all must see what Raw shows."""

    async def main():
        changed = asyncio.Event()

        async def until(condition):
            while not condition():
                changed.clear()
                await changed.wait()

        async def still(link):
            with suppress(TimeoutError):
                while True:
                    async with asyncio.timeout(1.0):
                        seen = link.connection.updates
                        await until(lambda seen=seen: link.connection.updates > seen)

        async with AsyncExitStack() as stack:
            remote, display = await stack.enter_async_context(server(tmp_path, "480x360"))
            await stack.enter_async_context(xterm(display, "60x16+0+0"))
            links = {}
            for name, encodings in OFFERS.items():
                link = await open_vnc(remote, encodings=encodings, wake=changed.set)
                stack.push_async_callback(link.close)
                links[name] = link
            hands = links["local"]
            await until(lambda: white(hands) > 40_000)  # the terminal is up
            hands.act([PointerEvent(100, 100, 0)])
            await still(hands)  # and the shell is in it
            before = white(hands)
            for letter in "seq 1000 1040":
                hands.act([KeyEvent(ord(letter), True), KeyEvent(ord(letter), False)])
            hands.act([KeyEvent(RETURN, True), KeyEvent(RETURN, False)])
            await until(lambda: white(hands) < before - 400)

            def differing():
                raw = links[f"only {Encoding.RAW.name}"].pixels[..., :3]
                return [
                    name
                    for name, link in links.items()
                    if link.fault or not np.array_equal(link.pixels[..., :3], raw)
                ]

            try:
                async with asyncio.timeout(20):
                    await until(lambda: not differing())
            except TimeoutError:
                faults = {name: links[name].fault for name in differing()}
                pytest.fail(f"other pictures than Raw's: {faults}")
            assert {link.size for link in links.values()} == {(480, 360)}

    asyncio.run(main())


def white(link):
    return int((link.pixels[..., :3].min(axis=2) > 200).sum())
