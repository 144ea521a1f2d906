"""No callback does more than a slice of work, and a flood leaves the others their turns.

Nothing is timed: what is counted is how many pixels, rectangles and events one callback handles. At
1024x768 a slice and the rectangle that ends it come to some milliseconds.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from auniverse.address import Remote
from auniverse.links import VNCLink, open_rewarder, open_vnc
from auniverse.links import rewarder as rewarder_link
from auniverse.links.turns import SLICE, SMALL_SLICE, WORKER_SLICE
from auniverse.rfb import LINKS, Connection
from auniverse.rfb.connection import MESSAGE_WORK
from auniverse.rfb.decoders.decoder import RECTANGLE_WORK
from tests.rfb.wire import BELL, COPY_RECT, RAW, TIGHT, opening, rectangle, update
from tests.scripted import says

from .cost import tell
from .streams import compact, deflated

WIDTH, HEIGHT = 1024, 768
AREA = WIDTH * HEIGHT
COPY = rectangle(0, 0, WIDTH, HEIGHT, COPY_RECT, bytes(4))
FILL = rectangle(0, 0, WIDTH, HEIGHT, TIGHT, b"\x80abc")
DEFLATED = deflated(bytes(3 * AREA))
BOMB = rectangle(0, 0, WIDTH, HEIGHT, TIGHT, b"\1" + compact(len(DEFLATED)) + DEFLATED)
NOTHING = rectangle(0, 0, 0, 0, COPY_RECT, bytes(4))
PLAIN = rectangle(0, 0, 0, 0, RAW)
#: How many rectangles of Raw the compiled decoder takes in the time of another.
RAW_AT_ONCE = 16
SMALL = rectangle(5, 5, 16, 16, COPY_RECT, bytes(4))


class Work(Connection):
    """A client that notes how much each of its callbacks had to do."""

    most = 0
    callbacks = 0

    def go_on(self, work: int = 1 << 60) -> None:
        self.callbacks += 1
        try:
            super().go_on(work)
        finally:
            self.most = max(self.most, work - self._work)


@pytest.mark.parametrize(
    ("stream", "at_a_time"),
    [
        (update(*[COPY] * 40), 1),
        (update(*[FILL] * 40), 1),
        (update(*[BOMB] * 4), 1),
        (update(*[NOTHING] * 5000), SLICE // RECTANGLE_WORK),
        (update(*[PLAIN] * 9000), RAW_AT_ONCE * SLICE // RECTANGLE_WORK),
        (update(*[SMALL] * 5000), SLICE // (RECTANGLE_WORK + 256) + 1),
    ],
    ids=["copies", "fills", "bombs", "nothing", "plain", "small"],
)
def test_a_slice_ends_with_the_rectangle_that_uses_it_up(stream: bytes, at_a_time: int) -> None:
    client = Work(encodings=LINKS["lan"])
    told = tell([opening(WIDTH, HEIGHT), stream], connection=client)
    assert told.fault is None
    assert told.connection.updates == 1
    assert told.rectangles <= at_a_time
    assert client.most < SLICE + AREA + 2 * RECTANGLE_WORK + MESSAGE_WORK


@pytest.mark.parametrize("said", [BELL, update(), b"\3\0\0\0" + bytes(4), b"\1" + bytes(5)])
def test_small_messages_are_counted_too(said: bytes) -> None:
    client = Work(encodings=LINKS["lan"])
    told = tell([opening(WIDTH, HEIGHT), said * 9000], connection=client, piece=256 * 1024)
    assert told.fault is None
    assert told.events <= SLICE // MESSAGE_WORK
    assert client.most <= SLICE + 2 * RECTANGLE_WORK
    assert client.callbacks > 9000 * MESSAGE_WORK // SLICE


def test_what_is_left_over_is_read_in_order_and_to_the_end() -> None:
    parts = [rectangle(x, 0, 1, 1, RAW, bytes([x, 0, 0, 0])) for x in range(200)]
    fills = [FILL, *parts, FILL, *parts]
    client = Connection(encodings=LINKS["lan"])
    told = tell([opening(WIDTH, HEIGHT), update(*fills) + BELL], connection=client)
    assert told.slices > 2
    assert client.framebuffer is not None
    assert client.framebuffer.pixels[0, :200, 0].tolist() == list(range(200))
    assert client.rectangles == len(fills)
    assert not client.pending


# -- the same on sockets ---------------------------------------------------------------------------


@asynccontextmanager
async def flood(first: bytes, more: bytes) -> AsyncIterator[int]:
    """Listen; say `first`, then `more` again and again as fast as it goes. Yields the port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(first)
            while True:
                writer.write(more)
                await writer.drain()
        except ConnectionError:
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def spied_on(link: VNCLink) -> list[int]:
    """Return where it is noted how much more than it was allowed each reading of the link did.

    Both in units of work; a callback is allowed a slice, a worker a larger one.
    """
    done: list[int] = []
    connection = link.connection
    go_on: Callable[[int], None] = connection.go_on

    def note(work: int = 0) -> None:
        go_on(work)
        if work:  # else nothing was to be read
            assert work in (SMALL_SLICE, SLICE, WORKER_SLICE)
            done.append(-connection._work)

    connection.go_on = note  # type: ignore[method-assign]
    return done


FLOODS = {
    "copies": update(*[COPY] * 4000),
    "fills": update(*[FILL] * 4000),
    "empty updates": update() * 10_000,
    "bells": BELL * 60_000,
    "cut texts": b"\3\0\0\0" + struct.pack(">I", 200_000) + bytes(200_000),
}


@pytest.mark.parametrize("more", FLOODS.values(), ids=FLOODS)
def test_a_flood_that_nobody_looks_at_leaves_the_others_their_turns(more: bytes) -> None:
    async def main() -> None:
        async with flood(opening(WIDTH, HEIGHT), more) as port, says(opening()) as calm_port:
            encodings = LINKS["lan"]
            link = await open_vnc(Remote("127.0.0.1", port, None), encodings=encodings)
            done = spied_on(link)
            turns, before = 0, link.connection.bytes_received
            async with asyncio.timeout(30):
                while len(done) < 50 and link.fault is None:
                    await asyncio.sleep(0)
                    turns += 1
                # Another session opens and lives, and the memory for unread bytes does not grow.
                calm = await open_vnc(Remote("127.0.0.1", calm_port, None))
            assert link.connection.bytes_received >= before
            assert max(done) < AREA + 2 * RECTANGLE_WORK + MESSAGE_WORK
            assert turns >= len(done) // 2
            assert link.connection._buffer.capacity <= 1 << 20
            assert link._away or link.connection._events == []
            await calm.close()
            await link.close()

    asyncio.run(main())


def test_many_empty_updates_are_answered_by_one_request() -> None:
    async def main() -> None:
        async with flood(opening(WIDTH, HEIGHT), update() * 10_000) as port:
            link = await open_vnc(Remote("127.0.0.1", port, None), encodings=LINKS["lan"])
            done = spied_on(link)
            asked = 0
            write = link._write

            def count(data: bytes) -> None:
                nonlocal asked
                asked += data.count(link._requests.next_update)
                write(data)

            link._write = count  # type: ignore[method-assign]
            async with asyncio.timeout(30):
                while link.connection.updates <= 2000 and link.fault is None:  # noqa: ASYNC110
                    await asyncio.sleep(0)  # turns of the loop are what the link needs
            assert link.fault is None
            assert 0 < asked <= 2 * len(done)  # one before, one after
            link.abort()

    asyncio.run(main())


def test_a_flood_of_rewards_is_read_with_pauses() -> None:
    from websockets.asyncio.server import ServerConnection, serve

    text = '{"method":"v0.env.reward","headers":{"message_id":0,"sent_at":1,"episode_id":"1"},'
    text += '"body":{"reward":0,"done":false}}'

    async def shout(socket: ServerConnection) -> None:
        while True:
            await socket.send(text)

    async def main() -> None:
        heard, most, since = 0, 0, 0

        def receive(event: object) -> None:
            nonlocal heard, since
            heard += 1
            since += 1

        async with serve(shout, "127.0.0.1", 0, compression=None) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            link = await open_rewarder(Remote("127.0.0.1", None, port), receive=receive)
            assert getattr(link._websocket.transport, "max_size", 0) == rewarder_link.READ
            async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
                running = tasks.create_task(link.run())
                while heard < 2000:
                    since = 0
                    await asyncio.sleep(0)
                    most = max(most, since)
                running.cancel()
            assert most <= rewarder_link.SLICE // (rewarder_link.MESSAGE_WORK + len(text)) + 1
            await link.close()

    asyncio.run(main())
