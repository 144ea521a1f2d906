"""Recording from servers that say what they are told to, and from our own hosts."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import numpy as np
import pytest

from auniverse.address import Remote
from auniverse.errors import (
    AuthenticationError,
    ConnectError,
    RemoteTimeoutError,
    RFBError,
    UsageError,
)
from auniverse.recording import capture, play, read
from auniverse.recording.capture import Tap
from auniverse.rfb import Encoding
from tests.meter import meters
from tests.rfb.wire import BELL, RAW, rectangle, update
from tests.scripted import BANNER, NO_SECURITY, OPENING, SERVER_INIT, says

ANYWHERE = Remote("127.0.0.1", 1, None)
REQUEST = b"\3\1" + bytes(4) + b"\0\4\0\4"
FIRST_REQUEST = b"\3\0" + bytes(4) + b"\0\4\0\4"


def red(x):
    return update(rectangle(x, 0, 1, 4, RAW, b"\xff\0\0\0" * 4))


def recorded(*said, path, then="close", **options):
    async def main():
        async with says(*said, then=then) as port:
            remote = Remote("127.0.0.1", port, None)
            options.setdefault("encodings", (Encoding.RAW,))
            return await capture(remote, path, **options)

    return asyncio.run(main())


def test_all_bytes_from_server_init_on_are_kept(tmp_path):
    path = tmp_path / "a.fbs"
    said = red(0) + BELL + red(1)
    captured = recorded(OPENING + said, path=path, notes={"crc32": 1}, server="mine")
    recording = read(path)
    assert recording.data == SERVER_INIT + said
    assert (captured.bytes, captured.updates) == (len(recording.data), 2)
    assert "closed" in captured.ended or "reset" in captured.ended
    header = recording.header
    assert (header.server, header.width, header.height) == ("mine", 4, 4)
    assert (header.encodings, header.lossless, header.notes) == ((0,), True, {"crc32": 1})
    assert header.start <= recording.stop
    assert play(recording).framebuffer.pixels[0, :, 0].tolist() == [255, 255, 0, 0]


def test_the_desktops_name_stands_in_for_the_servers(tmp_path):
    recorded(OPENING, path=tmp_path / "a.fbs")
    assert read(tmp_path / "a.fbs").header.server == "x"


def fed(tap, said, step):
    """Feed the opening and then `said` in steps; return what the tap answers to the latter."""
    data = OPENING + said
    answers = []
    for start in range(0, len(data), step):
        tap.receive_data(data[start : start + step])
        answers.append(tap.connection.data_to_send())
    tap.receive_data(b"")
    answers.append(tap.connection.data_to_send())
    assert tap.kept == SERVER_INIT + said
    before, asked, after = b"".join(answers).partition(FIRST_REQUEST)
    assert before
    assert asked
    return after


@pytest.mark.parametrize(("step", "requests"), [(1, 2), (len(red(0)), 2), (1000, 1)])
def test_a_request_is_always_armed(step, requests):
    assert fed(Tap(ANYWHERE, (Encoding.RAW,)), red(0) + red(1), step) == REQUEST * requests


@pytest.mark.parametrize(("step", "requests"), [(1, 6), (1000, 1)])
def test_what_cannot_be_decoded_is_recorded_all_the_same(step, requests):
    tap = Tap(ANYWHERE, (0x5A5A, -24))
    assert not tap.decoded
    assert fed(tap, b"\x7fwhat?", step) == REQUEST * requests


def test_updates_that_are_not_understood_are_not_counted(tmp_path):
    with pytest.raises(UsageError, match="counted"):
        recorded(path=tmp_path / "a", encodings=(0x5A5A,), max_updates=1)
    captured = recorded(OPENING + b"\x7f?", path=tmp_path / "a", encodings=(0x5A5A, -24))
    assert captured.updates is None
    assert read(tmp_path / "a").data == SERVER_INIT + b"\x7f?"
    assert not read(tmp_path / "a").header.lossless


def test_it_ends_at_each_limit(tmp_path):
    path = tmp_path / "a.fbs"
    captured = recorded(OPENING, red(0), path=path, then="stall", seconds=0.2)
    assert captured.ended == "seconds"
    captured = recorded(OPENING + red(0) + red(1), path=path, then="stall", max_updates=2)
    assert (captured.ended, captured.updates) == ("updates", 2)
    assert read(path).data == SERVER_INIT + red(0) + red(1)
    captured = recorded(OPENING, *[red(0)] * 500, path=path, then="stall", max_bytes=2000)
    assert captured.ended == "bytes"
    assert captured.bytes == len(read(path).data) <= 2000


def test_cancelling_leaves_a_whole_file(tmp_path):
    async def main():
        seen = asyncio.Event()
        states = []
        async with says(OPENING + red(0)) as port:

            def watch(captured):
                states.append(captured)
                seen.set()

            remote = Remote("127.0.0.1", port, None)
            task = asyncio.create_task(
                capture(remote, tmp_path / "a.fbs", encodings=(0,), watch=watch)
            )
            await seen.wait()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        assert states[-1].ended == "cancelled"

    asyncio.run(main())
    assert read(tmp_path / "a.fbs").stop is not None


def test_a_breach_is_recorded_and_raised(tmp_path):
    with pytest.raises(RFBError, match="99") as caught:
        recorded(OPENING, red(0) + b"\x63", path=tmp_path / "a.fbs")
    assert caught.value.remote.startswith("vnc://127.0.0.1:")
    assert read(tmp_path / "a.fbs").data == SERVER_INIT + red(0) + b"\x63"


def test_an_opening_that_fails_leaves_no_file(tmp_path):
    path = tmp_path / "a.fbs"
    with pytest.raises(AuthenticationError):
        recorded(BANNER + b"\1\x13", path=path)
    with pytest.raises(RemoteTimeoutError, match="handshake"):
        recorded(BANNER + NO_SECURITY, path=path, then="stall", timeout=0.2)
    with pytest.raises(ConnectError, match="connect"):
        asyncio.run(capture(ANYWHERE, path, encodings=(0,)))
    assert not path.exists()


@pytest.mark.parametrize("encoding", [Encoding.RAW, Encoding.ZLIB, Encoding.ZRLE])
def test_a_host_of_ours_is_recorded_frame_by_frame(tmp_path, encoding):
    async def main():
        async with meters(1) as hosts:
            run = asyncio.create_task(hosts[0].run())
            captured = await capture(
                hosts[0].remote, tmp_path / "a.fbs", encodings=(encoding,), max_updates=30
            )
            run.cancel()
        return captured

    captured = asyncio.run(main())
    assert captured.updates >= 30
    pictures = []
    play(
        read(tmp_path / "a.fbs"),
        watch=lambda connection: pictures.append(connection.framebuffer.pixels[0, 0, 0]),
    )
    assert len(np.unique(pictures)) > 10, "the meter counts frames in red"


def test_where_updates_can_come_without_requests_none_is_made():
    tap = Tap(ANYWHERE, (Encoding.RAW, Encoding.FENCE, Encoding.CONTINUOUS_UPDATES))
    whole_screen = bytes(4) + b"\0\4\0\4"
    fence = b"\xf8\0\0\0\x80\0\0\1\2hi"
    for said, answer in (
        (b"", FIRST_REQUEST),
        (b"\x96", b"\x96\1" + whole_screen),
        (red(0), b""),
        (fence, b"\xf8\0\0\0\0\0\0\1\2hi"),
        (red(1) + red(2), b""),
        (b"\x96", REQUEST),  # the end of it
        (red(3), REQUEST),
    ):
        if not tap.opened:
            tap.receive_data(OPENING)
            tap.receive_data(b"")
            tap.receive_data(b"")
            assert tap.connection.data_to_send().endswith(answer)
            continue
        tap.receive_data(said)
        assert tap.connection.data_to_send() == answer
    assert bytes(tap.kept).startswith(SERVER_INIT + b"\x96" + red(0) + fence)
