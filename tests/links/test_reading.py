"""What arrives on a link is read a slice at a time, and what reading runs into ends the link.

Where it is read, see test_turns.py and test_vnc.py; from where, test_intake.py.
"""

import asyncio

import pytest

from auniverse.errors import ConnectionLostError, RFBError
from tests.rfb.wire import RAW, opening, rectangle, update

from .abroad import HEIGHT, WIDTH, talking

DECODERS = ["native", "numpy"]
SCREENFUL = update(rectangle(0, 0, WIDTH, HEIGHT, RAW, bytes([7]) * (4 * WIDTH * HEIGHT)))


@pytest.fixture(params=DECODERS)
def decoder(request, monkeypatch):
    monkeypatch.setenv("AUNIVERSE_DECODER", request.param)


@pytest.mark.usefixtures("decoder")
@pytest.mark.parametrize("work", [300, 4000])
def test_what_takes_many_slices_is_read_to_its_end(monkeypatch, work):
    for name in ("SLICE", "SMALL_SLICE"):
        monkeypatch.setattr(f"auniverse.links.reading.{name}", work)

    async def main():
        async with talking() as (server, link, until):
            server.writer.write(SCREENFUL * 3)
            await until(lambda: link.connection.updates == 3)
            assert (link.pixels == 7).all()
            assert link.stopwatch.seconds > 0

    asyncio.run(main())


@pytest.mark.usefixtures("decoder")
def test_a_breach_ends_the_link_and_says_where():
    async def main():
        async with talking() as (server, link, until):
            server.writer.write(SCREENFUL + update(rectangle(0, 0, 1, 1, 77)))
            await until(lambda: link.fault)
            at = len(opening(WIDTH, HEIGHT)) + len(SCREENFUL) + 4
            assert isinstance(link.fault, RFBError)
            assert f"(at byte {at}, reading messages)" in str(link.fault)
            assert link.fault.remote == str(link.remote)

    asyncio.run(main())


@pytest.mark.usefixtures("decoder")
def test_an_end_inside_of_an_update_says_so():
    async def main():
        async with talking() as (server, link, until):
            server.writer.write(SCREENFUL[:-1])
            server.writer.write_eof()
            await until(lambda: link.fault)
            assert isinstance(link.fault, ConnectionLostError)
            assert "inside a rectangle" in str(link.fault)

    asyncio.run(main())


@pytest.mark.parametrize("error", [ConnectionResetError(104, "reset by peer"), OSError(5, "?")])
def test_a_socket_that_breaks_loses_the_connection(monkeypatch, error):
    async def main():
        async with talking() as (server, link, until):
            if link._intake is None:
                pytest.skip("the decoder does not read sockets: it was not built")

            def broken(*_):
                raise type(error)(*error.args)  # that one would be kept, and what it passed too

            monkeypatch.setattr(link.connection, "receive", broken)
            server.writer.write(b"\2")
            await until(lambda: link.fault)
            assert isinstance(link.fault, ConnectionLostError)
            assert str(error) in str(link.fault)

    asyncio.run(main())
