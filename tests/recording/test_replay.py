"""Recordings, played to a connection and to whoever connects."""

from __future__ import annotations

import asyncio

import asyncvnc
import numpy as np
import pytest

from auniverse.errors import ConnectionLostError, RFBError, UsageError
from auniverse.links import open_vnc
from auniverse.recording import Chunk, Header, Recording, Replayer, play, rounds
from auniverse.rfb import Encoding
from tests.rfb.wire import BELL, RAW, rectangle, server_init, update

WIDTH, HEIGHT = 6, 2
INIT = server_init(WIDTH, HEIGHT, b"test")


def column(x):
    return update(rectangle(x, 0, 1, HEIGHT, RAW, bytes([x + 1, 0, 0, 0]) * HEIGHT))


ALL = update(rectangle(0, 0, WIDTH, HEIGHT, RAW, bytes(WIDTH * HEIGHT * 4)))
UPDATES = [ALL, *map(column, range(WIDTH))]


def recording(*chunks, encodings=(Encoding.RAW,)):
    header = Header(0.0, "test", encodings, WIDTH, HEIGHT, True)
    return Recording(header, tuple(Chunk(data, 0) for data in chunks))


WHOLE = recording(INIT, *UPDATES)


def test_playing_ends_with_the_last_picture():
    seen = []
    connection = play(WHOLE, watch=lambda connection: seen.append(connection.updates))
    assert connection.framebuffer.pixels[0, :, 0].tolist() == [1, 2, 3, 4, 5, 6]
    assert connection.name == "test"
    assert seen == list(range(8))


def test_what_cannot_be_decoded_is_not_played():
    with pytest.raises(UsageError, match="23130"):
        play(recording(INIT, encodings=(0x5A5A,)))
    with pytest.raises(RFBError):
        play(recording(INIT, b"\x63"))


@pytest.mark.parametrize("step", [1, 7, 40, 10_000])
def test_rounds_end_where_updates_do(step):
    data = INIT + UPDATES[0] + BELL + b"".join(UPDATES[1:]) + UPDATES[0][:9]
    cut = [data[start : start + step] for start in range(0, len(data), step)]
    first, *rest = rounds(recording(*cut))
    assert first == INIT
    if step == 1:
        assert rest == [UPDATES[0], BELL + UPDATES[1], *UPDATES[2:]]
    assert data.startswith(INIT + b"".join(rest))
    assert len(data) - len(INIT + b"".join(rest)) <= max(9, step)
    again = play(recording(first, *rest))
    assert again.updates == 7


async def watched(remote):
    """Follow a replay to its end; returns the link."""
    woken = asyncio.Event()
    link = await open_vnc(remote, wake=woken.set)
    while link.fault is None:
        await woken.wait()
        woken.clear()
    return link


def test_a_link_sees_what_was_recorded():
    async def main():
        async with Replayer(rounds(WHOLE)) as replayer:
            links = await asyncio.gather(*(watched(replayer.remote) for _ in range(3)))
            for link in links:
                assert isinstance(link.fault, ConnectionLostError)
                assert link.connection.updates == 7
                assert np.array_equal(link.pixels[..., :3], play(WHOLE).framebuffer.pixels[..., :3])

    asyncio.run(main())


def test_asyncvnc_sees_it_too():
    async def main():
        async with Replayer(rounds(WHOLE)) as replayer:
            port = replayer.remote.vnc_port
            async with asyncvnc.connect("127.0.0.1", port) as client:
                client.keyboard.press("a")
                client.mouse.move(1, 1)
                picture = await client.screenshot()
                assert picture.shape[:2] == (HEIGHT, WIDTH)

    asyncio.run(main())


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"RFB 003.008\n\1\1\x63" + bytes(100),
        b"RFB 003.008\n\1\1\6\0\0\0\xff\xff\xff\xff",
        b"RFB 003.008\n\1",
    ],
)
def test_who_is_no_client_is_left_alone_and_the_others_go_on(said):
    async def main():
        async with Replayer(rounds(WHOLE)) as replayer:
            port = replayer.remote.vnc_port
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(said)
            writer.write_eof()
            while await reader.read(4096):
                pass
            writer.close()
            assert (await watched(replayer.remote)).connection.updates == 7

    asyncio.run(main())


def test_requests_are_answered_one_by_one():
    async def main():
        async with Replayer([INIT, b"one", b"two"]) as replayer:
            port = replayer.remote.vnc_port
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"RFB 003.008\n\1\1")
            await reader.readexactly(12 + 2 + 4 + len(INIT))
            # Every message that a client may say, between two requests.
            request = b"\3\1" + bytes(4) + b"\0\6\0\2"
            others = (
                *(b"\0" * 4 + bytes(16), b"\2\0\0\2" + bytes(8), b"\4\1" + bytes(6)),
                *(b"\5\0" + bytes(4), b"\6\0\0\0\0\0\0\2hi", b"\x96\1" + bytes(8)),
                *(b"\xf8" + bytes(7) + b"\3abc", b"\xfb" + bytes(5) + b"\1\0" + bytes(16)),
            )
            writer.write(b"".join(others) + request)
            assert await reader.readexactly(3) == b"one"
            writer.write(b"".join(others))
            writer.write(request)
            assert await reader.read() == b"two"
            writer.close()

    asyncio.run(main())
