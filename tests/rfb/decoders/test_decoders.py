"""Every encoding that real servers send, against what the same servers send raw."""

import asyncio
from collections import Counter

import numpy as np
import pytest

from auniverse.address import Remote
from auniverse.links import VNCLink
from auniverse.rfb import Connection, Decoder, Encoding, KeyEvent, PointerEvent, level
from tests.links.test_vnc import Waker
from tests.painting import painting
from tests.tigervnc import tigervnc, x11vnc, xterm

QUALITY = level("quality_level", 8)


class Tally(Decoder):
    """A decoder that counts the rectangles of each encoding."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.seen = Counter()

    def _rectangle(self, rectangle, data, events):
        payload = self.position + 12
        needed = super()._rectangle(rectangle, data, events)
        if not needed:
            self.seen[rectangle.encoding] += 1
            self.seen["jpeg"] += rectangle.encoding == Encoding.TIGHT and data[payload] >> 4 == 9
        return needed


async def look(remote, waker, *encodings):
    connection = Connection(
        password=remote.vnc_password, encodings=(*encodings, -223), decoder=Tally
    )
    link = VNCLink(remote, connection, waker.event.set)
    loop = asyncio.get_running_loop()
    await loop.create_connection(lambda: link, remote.host, remote.vnc_port)
    await link.opened
    return link


async def type_and_compare(remote, offers):
    """Type into the terminal that is on the screen; wait until all links show what raw shows."""
    waker = Waker()
    witness = await look(remote, waker, Encoding.RAW)
    links = {first: await look(remote, waker, first, *more) for first, *more in offers}
    await waker.until(lambda: witness.pixels[..., 0].mean() > 50)  # the white terminal is up
    witness.act([PointerEvent(100, 100, 0)])
    for letter in "echo auniverse; seq -s. 500\r":
        keysym = ord(letter) if letter >= " " else 0xFF0D
        witness.act([KeyEvent(keysym, True), KeyEvent(keysym, False)])
    await waker.until(lambda: dark(witness) > 4000)
    for _ in range(5):  # the terminal is full: each of these scrolls it
        seen = witness.connection.updates
        witness.act([KeyEvent(0xFF0D, True), KeyEvent(0xFF0D, False)])
        await waker.until(lambda seen=seen: witness.connection.updates > seen)
    for name, link in links.items():
        far = 32 if name == QUALITY else 0  # TigerVNC does not always send a better JPEG later
        await waker.until(lambda link=link, far=far: link.fault or distance(link, witness) <= far)
        assert link.fault is None
    for link in (*links.values(), witness):
        await link.close()
    return {name: link.connection._decoder.seen for name, link in links.items()}


def dark(link):
    return (link.pixels[20:280, 20:440, :3] < 50).all(axis=2).sum()


def distance(link, witness):
    """How far the colours of 99.9 % of the pixels are off at most; of all, if they are not."""
    off = abs(link.pixels[..., :3].astype(int) - witness.pixels[..., :3]).max(axis=2)
    return max(np.quantile(off, 0.999), off.max() / 8)


@pytest.mark.apt
def test_what_tigervnc_sends(tmp_path):
    async def main():
        async with (
            tigervnc(tmp_path) as (remote, display),
            xterm(display),
            painting(display),
        ):
            offers = [
                (Encoding.TIGHT,),
                (Encoding.ZRLE,),
                (Encoding.HEXTILE,),
                (Encoding.RRE,),
                (Encoding.COPY_RECT, Encoding.HEXTILE, Encoding.LAST_RECT),
                (QUALITY, Encoding.TIGHT),
            ]
            seen = await type_and_compare(remote, offers)
            for encoding in (Encoding.TIGHT, Encoding.ZRLE, Encoding.HEXTILE, Encoding.RRE):
                assert seen[encoding][encoding] > 5
            assert seen[Encoding.COPY_RECT][Encoding.COPY_RECT] > 0
            assert seen[QUALITY]["jpeg"] > 0
            assert seen[Encoding.TIGHT]["jpeg"] == 0

    asyncio.run(main())


@pytest.mark.apt
def test_what_libvncserver_sends(tmp_path):
    """X11vnc stands on libvncserver, which knows encodings that TigerVNC does not."""

    async def main():
        async with (
            tigervnc(tmp_path) as (_, display),
            xterm(display),
            painting(display),
            x11vnc(display) as port,
        ):
            encodings = [
                *(Encoding.TIGHT, Encoding.ZLIB, Encoding.HEXTILE, Encoding.RRE),
                *(Encoding.CORRE, Encoding.ZRLE),
            ]
            offers = [(encoding,) for encoding in encodings]
            seen = await type_and_compare(Remote("127.0.0.1", port, None), offers)
            for encoding in encodings:
                assert seen[encoding][encoding] > 5

    asyncio.run(main())
