"""Turns of many links, and links whose connection a worker has: pixels, input, ends."""

import asyncio
import gc
import threading
from pathlib import Path

import numpy as np
import pytest

from auniverse.errors import ConnectionLostError, ProtocolError
from auniverse.links import open_vnc, turns
from auniverse.links.turns import SHIFT, Turns, turns_of
from auniverse.recording import Replayer, read, rounds, viewer
from auniverse.rfb import KeyEvent, NativeDecoder, native_available
from auniverse.vector import Frames
from tests.rfb.wire import DESKTOP_SIZE, RAW, picture, rectangle, update

from .abroad import HALVES, HEIGHT, SCREENFUL, WHOLE, WIDTH, Deflater, Gate, talking

STREAMS = sorted((Path(__file__).parents[1] / "streams").glob("*-game-*.fbs"))

compiled = pytest.mark.skipif(not native_available(), reason="the compiled decoder was not built")


# -- turns alone -----------------------------------------------------------------------------------


class Walker:
    """Goes to a worker and back, and notes where and when."""

    def __init__(self, name, log):
        self.name = name
        self.log = log
        self.worker = None
        self.home = asyncio.Event()

    def work(self):
        self.worker = threading.get_ident()

    def come_home(self):
        assert threading.get_ident() != self.worker
        self.log.append(self.name)
        self.home.set()


def test_all_go_and_come_home_however_many_they_are():
    async def main():
        log = []
        walkers = [Walker(number, log) for number in range(3 * SHIFT)]
        shared = turns_of(asyncio.get_running_loop())
        for walker in walkers:
            assert shared.send_away(walker)
        async with asyncio.timeout(20):
            for walker in walkers:
                await walker.home.wait()
        assert sorted(log) == list(range(3 * SHIFT))

    asyncio.run(main())


def test_who_goes_first_is_before_those_that_wait(monkeypatch):
    monkeypatch.setattr(turns, "MOST_WORKERS", 1)

    async def main():
        log, gate = [], threading.Event()
        shared = Turns()
        blocker = Walker("blocker", log)
        blocker.work = lambda: gate.wait(20)
        late, urgent = Walker("late", log), Walker("urgent", log)
        shared.send_away(blocker)
        shared.send_away(late)
        shared.send_away(urgent, first=True)
        gate.set()
        async with asyncio.timeout(20):
            await late.home.wait()
        assert log.index("urgent") < log.index("late")

    asyncio.run(main())


def test_without_workers_nobody_leaves():
    async def main():
        await asyncio.get_running_loop().shutdown_default_executor()
        assert not Turns().send_away(Walker("only", []))

    asyncio.run(main())


def test_a_round_has_time_for_so_much_and_the_next_again():
    async def main():
        shared = Turns()
        assert shared.has_time(turns.ROUND, plain=False)
        assert not shared.has_time(1, plain=False)
        assert shared.has_time(turns.PLAIN, plain=True)
        assert not shared.has_time(turns.PLAIN + 1, plain=True)
        await asyncio.sleep(0)
        assert shared.has_time(turns.ROUND, plain=False)

    asyncio.run(main())


def test_pixels_count_in_a_round_as_bytes_do():
    async def main():
        shared = Turns()
        shared.painted(turns.PIXELS * turns.ROUND)
        assert not shared.has_time(1, plain=False)
        await asyncio.sleep(0)
        assert shared.has_time(1, plain=False)

    asyncio.run(main())


def test_sockets_that_brought_much_wait_for_the_next_round():
    async def main():
        shared = Turns()
        assert shared.took(turns.FULL)
        assert not shared.took(1)
        await asyncio.sleep(0)
        assert shared.took(1)

    asyncio.run(main())


def test_many_links_take_less_each_and_a_loop_that_ended_is_forgotten():
    async def main():
        shared = turns_of(asyncio.get_running_loop())
        assert shared is turns_of(asyncio.get_running_loop())
        alone = shared.intake
        shared.joined(128)
        assert turns.LEAST_INTAKE <= shared.intake < alone
        shared.joined(-128)
        assert shared.intake == alone

    before = len(turns._turns)
    asyncio.run(main())
    gc.collect()
    assert len(turns._turns) <= before


# -- links -----------------------------------------------------------------------------------------


@pytest.fixture
def everything_goes_away(monkeypatch):
    monkeypatch.setattr(turns, "ROUND", -1)
    monkeypatch.setattr(turns, "PLAIN", -1)
    monkeypatch.setattr("auniverse.links.reading.SMALL", 0)


@compiled
@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
@pytest.mark.usefixtures("everything_goes_away")
def test_a_worker_paints_what_the_loop_would(path):
    recording = read(path)
    pieces = rounds(recording, decoder=NativeDecoder)
    witness = viewer(recording, decoder=NativeDecoder)
    witness.receive_data(b"".join(pieces))

    async def main():
        woken, workers = asyncio.Event(), set()
        async with Replayer(pieces) as replayer:
            link = await open_vnc(
                replayer.remote, encodings=recording.header.encodings, wake=woken.set
            )
            work = link.work

            def note():
                workers.add(threading.get_ident())
                work()

            link.work = note
            async with asyncio.timeout(20):
                while link.fault is None:
                    await woken.wait()
                    woken.clear()
            await link.close()
        assert isinstance(link.fault, ConnectionLostError)
        assert workers
        assert threading.get_ident() not in workers
        assert np.array_equal(link.pixels[..., :3], witness.framebuffer.pixels[..., :3])

    asyncio.run(main())


@compiled
@pytest.mark.usefixtures("everything_goes_away")
def test_a_snapshot_of_half_an_update_is_mended_by_the_next():
    async def main():
        frames = Frames(1)
        async with talking(allocate=frames.allocator(0)) as (server, link, until):
            frames.damage(0, link.damage.take())
            frames.snapshot([0])
            gate = Gate(link)
            server.writer.write(SCREENFUL)
            await gate.entered()
            # The loop runs on, and an agent looks: it may see the first half, and is told of it.
            frames.damage(0, link.damage.take())
            torn = frames.snapshot([0])[0].copy()
            assert np.array_equal(torn[: HEIGHT // 2], HALVES[0][..., :3])
            assert not torn[HEIGHT // 2 :].any()
            assert link.updated_at == 0.0  # no update has ended for anybody on the loop
            gate.let_on()
            await until(lambda: link.updated_at)
            frames.damage(0, link.damage.take())
            assert np.array_equal(frames.snapshot([0])[0], WHOLE[..., :3])

    asyncio.run(main())


@compiled
@pytest.mark.usefixtures("everything_goes_away")
def test_input_and_the_next_request_do_not_wait_for_a_worker():
    async def main():
        async with talking() as (server, link, until):
            gate = Gate(link)
            heard = len(server.heard)
            server.writer.write(SCREENFUL)
            await gate.entered()
            assert link.act([KeyEvent(97, True)]) == 1
            await server.until_heard(KeyEvent(97, True).pack())
            request = b"\3\1" + bytes(4) + WIDTH.to_bytes(2, "big") + HEIGHT.to_bytes(2, "big")
            assert server.heard[heard:].count(request) == 1
            link.refresh()
            await server.until_heard(b"\3\0" + request[2:])
            gate.let_on()
            await until(lambda: link.updated_at)
            link.act([KeyEvent(98, True)])  # asked before the update ended, so not again after it
            await server.until_heard(KeyEvent(98, True).pack())
            assert server.heard[heard:].count(request) == 1

    asyncio.run(main())


@compiled
@pytest.mark.usefixtures("everything_goes_away")
def test_a_screen_changes_its_size_on_the_loop_only():
    threads = []

    def allocate(width, height):
        threads.append(threading.get_ident())
        return np.zeros((height, width, 4), np.uint8)

    larger = picture(200, 150, colours=4, seed=3)
    deflate = Deflater()
    halves = [deflate(0, 0, HALVES[0]), deflate(0, HEIGHT // 2, HALVES[1])]
    resize = rectangle(0, 0, 200, 150, DESKTOP_SIZE)
    said = update(*halves, resize) + update(deflate(0, 0, larger))

    async def main():
        async with talking(allocate=allocate) as (server, link, until):
            gate = Gate(link)
            server.writer.write(said)
            await gate.entered()
            before = link.pixels
            assert link.size == (WIDTH, HEIGHT)
            gate.let_on()
            await until(lambda: link.pixels[..., :3].shape == larger[..., :3].shape)
            await until(lambda: np.array_equal(link.pixels[..., :3], larger[..., :3]))
            assert np.array_equal(before[..., :3], WHOLE[..., :3])
            assert link.fault is None

    asyncio.run(main())
    assert set(threads) == {threading.get_ident()}
    assert len(threads) == 2


@compiled
@pytest.mark.parametrize("cancelled", [False, True])
@pytest.mark.usefixtures("everything_goes_away")
def test_closing_waits_until_nobody_paints(cancelled):
    async def main():
        async with talking() as (server, link, _):
            gate = Gate(link)
            server.writer.write(SCREENFUL)
            await gate.entered()
            closing = asyncio.create_task(link.close())
            await server.ended.wait()
            assert not closing.done()
            if cancelled:
                closing.cancel()
                await asyncio.wait([closing])
                assert closing.cancelled()
                closing = asyncio.create_task(link.close())
            gate.let_on()
            async with asyncio.timeout(20):
                await closing
            assert link.fault is None
            seen = link.pixels.copy()
            await asyncio.get_running_loop().shutdown_default_executor()
            assert np.array_equal(link.pixels, seen)
            assert link.updated_at == 0.0  # who closes hears no more

    asyncio.run(main())


@compiled
@pytest.mark.usefixtures("everything_goes_away")
def test_a_server_that_hangs_up_meanwhile_is_heard_out():
    async def main():
        async with talking() as (server, link, until):
            gate = Gate(link)
            server.writer.write(SCREENFUL)
            await gate.entered()
            server.writer.close()
            gate.let_on()
            await until(lambda: link.fault)
            assert isinstance(link.fault, ConnectionLostError)
            assert np.array_equal(link.pixels[..., :3], WHOLE[..., :3])

    asyncio.run(main())


@compiled
@pytest.mark.usefixtures("everything_goes_away")
def test_what_a_worker_runs_into_is_the_links_fault():
    async def main():
        async with talking() as (server, link, until):
            server.writer.write(update(rectangle(0, 0, WIDTH + 1, 1, RAW)))
            await until(lambda: link.fault)
            assert isinstance(link.fault, ProtocolError)
            assert str(WIDTH + 1) in str(link.fault)

    asyncio.run(main())


@compiled
@pytest.mark.usefixtures("everything_goes_away")
def test_a_worker_that_breaks_ends_one_link_and_says_so():
    async def main():
        said = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, told: said.append(told))
        async with talking() as (server, link, until):

            def break_down(work):
                if work:
                    raise MemoryError("none left")

            link.connection.go_on = break_down
            server.writer.write(SCREENFUL)
            await until(lambda: link.fault)
            assert isinstance(link.fault, ConnectionLostError)
        assert [type(told["exception"]) for told in said] == [MemoryError]

    asyncio.run(main())


@compiled
@pytest.mark.usefixtures("everything_goes_away")
def test_nothing_is_taken_in_while_a_worker_reads():
    async def main():
        async with talking() as (server, link, until):
            gate = Gate(link)
            server.writer.write(SCREENFUL)
            await gate.entered()
            received = link.connection.bytes_received
            server.writer.write(update() * 20)
            link.act([KeyEvent(97, True)])  # its way there and back lets the bytes come
            await server.until_heard(KeyEvent(97, True).pack())
            assert link.connection.bytes_received == received
            gate.let_on()
            await until(lambda: link.connection.updates == 21)
            assert link.fault is None

    asyncio.run(main())


@pytest.mark.parametrize("decoder", ["native", "numpy"])
@pytest.mark.usefixtures("everything_goes_away")
def test_without_workers_the_loop_reads_it_all(monkeypatch, decoder):
    """As at the loop's end, and always with numpy, which keeps the lock that threads need."""
    if decoder == "native" and not native_available():
        pytest.skip("the compiled decoder was not built")
    monkeypatch.setenv("AUNIVERSE_DECODER", decoder)

    async def main():
        async with talking() as (server, link, until):
            server.writer.write(SCREENFUL)
            await until(lambda: link.updated_at)
            assert np.array_equal(link.pixels[..., :3], WHOLE[..., :3])

    if decoder == "native":
        monkeypatch.setattr(Turns, "send_away", lambda *_, **__: False)
    asyncio.run(main())
