from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import subprocess
import sys
import textwrap
import threading
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from auniverse.errors import UsageError
from auniverse.portal import Portal


@pytest.fixture
def portal() -> Iterator[Portal]:
    portal = Portal()
    yield portal
    portal.close()


async def echo(value: object) -> object:
    await asyncio.sleep(0)
    return value


@asynccontextmanager
async def place(log: list[str], name: str = "place") -> AsyncIterator[str]:
    task = asyncio.current_task()
    log.append(f"enter {name}")
    try:
        yield name
    finally:
        assert asyncio.current_task() is task
        log.append(f"leave {name}")


def test_a_coroutine_runs_in_another_thread(portal: Portal) -> None:
    async def where() -> threading.Thread:
        return threading.current_thread()

    thread = portal.call(where())
    assert thread is not threading.current_thread()
    assert thread.daemon
    assert portal.call(where()) is thread


def test_an_error_comes_out_of_the_call(portal: Portal) -> None:
    async def fail() -> None:
        raise LookupError("no")

    with pytest.raises(LookupError, match="no"):
        portal.call(fail())
    assert portal.call(echo(3)) == 3


def test_a_call_that_takes_too_long_is_cancelled(portal: Portal) -> None:
    cancelled = []

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    with pytest.raises(TimeoutError):
        portal.call(forever(), timeout=0.01)
    assert cancelled == [True]


def test_it_works_inside_a_running_loop(portal: Portal) -> None:
    async def notebook() -> object:
        return portal.call(echo("answer"))

    assert asyncio.run(notebook()) == "answer"


def test_an_interrupt_cancels_the_coroutine(portal: Portal) -> None:
    log = []

    async def long() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            log.append("cleaned up")
            raise

    with pytest.raises(KeyboardInterrupt):
        portal.call(long())
    assert log == ["cleaned up"]
    assert portal.call(echo(1)) == 1


def test_a_context_is_entered_kept_and_left_by_one_task(portal: Portal) -> None:
    log: list[str] = []
    opened = portal.open(place(log))
    assert opened.wait() == "place"
    assert opened.value.done()
    assert log == ["enter place"]
    opened.close()
    assert log == ["enter place", "leave place"]
    opened.close()
    assert len(log) == 2


def test_closing_leaves_what_is_open_in_reverse_order() -> None:
    portal = Portal()
    log: list[str] = []
    for name in ("a", "b"):
        portal.open(place(log, name)).wait()
    portal.close()
    portal.close()
    assert log == ["enter a", "enter b", "leave b", "leave a"]
    assert portal.closed


def test_closing_gives_up_what_is_being_entered() -> None:
    log = []

    @asynccontextmanager
    async def slow() -> AsyncIterator[None]:
        log.append("begun")
        try:
            await asyncio.Event().wait()
            yield
        finally:
            log.append("ended")

    portal = Portal()
    opened = portal.open(slow())
    portal.call(echo(None))
    portal.close()
    assert log == ["begun", "ended"]
    with pytest.raises(UsageError, match="closed meanwhile"):
        opened.wait()


def test_entering_may_fail_or_take_too_long(portal: Portal) -> None:
    @asynccontextmanager
    async def broken() -> AsyncIterator[None]:
        raise LookupError("no such place")
        yield

    @asynccontextmanager
    async def slow() -> AsyncIterator[None]:
        await asyncio.Event().wait()
        yield

    opened = portal.open(broken())
    with pytest.raises(LookupError, match="no such place"):
        opened.wait()
    opened.close()
    with pytest.raises(TimeoutError):
        portal.open(slow(), timeout=0.01).wait()


def test_an_interrupt_gives_up_entering(portal: Portal) -> None:
    log = []

    @asynccontextmanager
    async def slow() -> AsyncIterator[None]:
        os.kill(os.getpid(), signal.SIGINT)
        try:
            await asyncio.Event().wait()
        finally:
            log.append("ended")
        yield

    with pytest.raises(KeyboardInterrupt):
        portal.open(slow()).wait()
    portal.close()  # for the interrupt that comes before `wait` does
    assert log == ["ended"]


@asynccontextmanager
async def sticky() -> AsyncIterator[None]:
    yield
    raise LookupError("the door is stuck")


def test_an_error_in_leaving_is_raised_once(portal: Portal) -> None:
    opened = portal.open(sticky())
    opened.wait()
    with pytest.raises(LookupError, match="stuck"):
        opened.close()
    opened.close()


def test_an_error_in_leaving_that_nobody_can_get_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    portal = Portal()
    portal.open(sticky()).wait()
    with caplog.at_level(logging.ERROR):
        portal.close()
    assert "the door is stuck" in caplog.text


def test_what_ends_a_context_early_shows(portal: Portal) -> None:
    @asynccontextmanager
    async def falling() -> AsyncIterator[asyncio.Event]:
        async with asyncio.TaskGroup() as group:
            fall = asyncio.Event()

            async def part() -> None:
                await fall.wait()
                raise LookupError("fell")

            group.create_task(part())
            yield fall

    async def push(fall: asyncio.Event) -> None:
        fall.set()

    opened = portal.open(falling())
    assert opened.fault is None
    fall = opened.wait()
    assert opened.fault is None
    portal.call(push(fall))
    while opened.fault is None:
        portal.call(echo(None))
    assert isinstance(opened.fault, ExceptionGroup)
    with pytest.raises(ExceptionGroup):
        opened.close()


def test_a_closed_portal_refuses() -> None:
    portal = Portal()
    portal.close()
    with pytest.raises(UsageError, match="closed"):
        portal.call(echo(1))
    with pytest.raises(UsageError, match="closed"):
        portal.open(place([])).wait()


def test_closing_ends_the_calls_of_other_threads() -> None:
    portal = Portal()
    begun = threading.Event()
    errors = []

    async def forever() -> None:
        begun.set()
        await asyncio.Event().wait()

    def caller() -> None:
        try:
            portal.call(forever())
        except UsageError as error:
            errors.append(str(error))

    thread = threading.Thread(target=caller)
    thread.start()
    begun.wait()
    portal.close()
    thread.join()
    assert errors == ["closed meanwhile"]


def test_its_own_thread_cannot_wait_for_it(portal: Portal) -> None:
    async def inside() -> None:
        portal.call(echo(1))

    with pytest.raises(UsageError, match="own thread"):
        portal.call(inside())


def test_a_forked_process_is_told(portal: Portal) -> None:
    opened = portal.open(place([]))
    opened.wait()
    reader, writer = os.pipe()
    with warnings.catch_warnings():  # newer Pythons warn of forks in processes with threads
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            portal.call(echo(1))
        except UsageError as error:
            os.write(writer, str(error).encode())
        opened.close()
        portal.close()
        os.write(writer, b" | closed quietly")
        os._exit(0)
    os.close(writer)
    assert os.waitpid(child, 0)[1] == 0
    with os.fdopen(reader) as said:
        assert said.read() == (
            "made before this process was forked: make it anew in each process | closed quietly"
        )
    assert portal.call(echo(1)) == 1


def test_a_portal_that_is_garbage_closes_what_is_open() -> None:
    left = threading.Event()

    @asynccontextmanager
    async def watched() -> AsyncIterator[None]:
        yield
        left.set()

    portal = Portal()
    portal.open(watched()).wait()
    del portal
    gc.collect()
    assert left.wait(30)


def test_the_interpreters_end_closes_what_is_open() -> None:
    program = """
        from contextlib import asynccontextmanager
        from auniverse.portal import Portal

        @asynccontextmanager
        async def place():
            yield
            print("left", flush=True)

        portal = Portal()
        portal.open(place()).wait()
        raise SystemExit(3)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, "left\n", "")
