"""The one thread boundary: an event loop in a thread of its own, for callers that cannot await.

Theory of operation. A portal's thread runs nothing but its loop; whatever is asynchronous lives
there, and only there. The caller's thread hands over coroutines (`call`) and asynchronous context
managers (`open`) and blocks until there is an answer. As the loop has a thread to itself, this
works where a loop runs already, in a notebook for example. A context manager is entered, kept and
left by one task, as task groups inside it require.

The thread holds no reference to its `Portal`. A portal that is garbage tells its thread to close
what is open; one that is alive at the interpreter's end is closed then.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import threading
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, wait
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, Generic, TypeVar

from auniverse.errors import UsageError

T = TypeVar("T")

#: How long the interpreter's end waits for each portal to close, in seconds.
PATIENCE_AT_EXIT = 10.0

_log = logging.getLogger(__name__)


class Portal:
    """An event loop in a daemon thread of its own.

    Its methods may be called from any thread but its own, also where an event loop runs.

    Args:
        name: Of the thread.
    """

    def __init__(self, name: str = "auniverse") -> None:
        self._inside = _Inside(name)
        weakref.finalize(self, self._inside.stop).atexit = False

    @property
    def closed(self) -> bool:
        """Whether the portal takes no more calls."""
        return self._inside.stopped

    def call(self, coroutine: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        """Run a coroutine in the portal's loop and wait for it.

        An exception that arrives in the caller meanwhile, as KeyboardInterrupt does, cancels the
        coroutine, waits for its end, and goes on.

        Args:
            coroutine: What to run; it is closed if it cannot be run.
            timeout: Cancel it after so many seconds.

        Raises:
            TimeoutError: It took longer.
            UsageError: The portal is closed, belongs to another process (before a fork), or is
                called from its own thread.
        """
        running = _Running(self._inside, coroutine, timeout)
        try:
            running.start()
            return running.outcome.result()
        except BaseException:
            if not running.outcome.done():  # it is the waiting that was interrupted
                self._inside.schedule(running.abandon)
                wait([running.outcome])
            raise

    def open(
        self, context: AbstractAsyncContextManager[T], timeout: float | None = None
    ) -> Opened[T]:
        """Begin to enter an asynchronous context manager, in a task that will also leave it.

        Args:
            context: What to enter.
            timeout: Give up after so many seconds.

        Returns:
            At once, whatever comes of it: see `Opened.wait`.
        """
        return Opened(self._inside, context, timeout)

    def close(self) -> None:
        """Leave what is open, last opened first, and end the thread. Twice is once.

        What goes wrong in leaving is logged; who wants it raised closes each `Opened` first. In a
        process forked from the portal's own there is nothing to close.
        """
        self._inside.stop()
        self._inside.join()


class Opened(Generic[T]):
    """A context manager that a portal has open, or is entering.

    Attributes:
        value: The future of what entering gives, or of why it failed.
    """

    def __init__(
        self,
        inside: _Inside,
        context: AbstractAsyncContextManager[T],
        timeout: float | None,
    ) -> None:
        self.value: Future[T] = Future()
        self._inside = inside
        self._context = context
        self._timeout = timeout
        self._leaving = asyncio.Event()
        self._closed = False
        self._kept = _Running(inside, self._keep())
        self._kept.outcome.add_done_callback(self._share_failure)
        self._kept.start()

    def wait(self) -> T:
        """Wait until it is entered and return what entering gives.

        An exception that arrives meanwhile, as KeyboardInterrupt does, cancels the entering.

        Raises:
            TimeoutError: It took longer than allowed.
            UsageError: As `Portal.call` does.
        """
        try:
            return self.value.result()
        except BaseException:
            if not self.value.done():
                self.close()
            raise

    def close(self) -> None:
        """Leave the context, or give up entering it, and wait for that. Twice is once.

        Raises:
            BaseException: What leaving raised, if it had been entered.
        """
        if self._inside.forked:
            return
        self._inside.schedule(self.begin_to_leave)
        wait([self._kept.outcome])
        if self._closed or self.fault is None:
            return
        self._closed = True
        raise self.fault

    @property
    def fault(self) -> BaseException | None:
        """What ended the context after it had been entered, or what leaving it raised."""
        if not self._kept.outcome.done() or self.value.exception():
            return None
        return self._kept.outcome.exception()

    def begin_to_leave(self) -> asyncio.Task[None]:
        """In the loop: leave, or give up entering; it is done when the task is."""
        self._leaving.set()
        if self._kept.task is None or not self.value.done():
            return self._kept.abandon()
        return self._kept.task

    async def _keep(self) -> None:
        self._inside.opened.append(self)
        try:
            async with AsyncExitStack() as stack:
                async with asyncio.timeout(self._timeout):
                    value = await stack.enter_async_context(self._context)
                self.value.set_result(value)
                await self._leaving.wait()
        finally:
            if self in self._inside.opened:
                self._inside.opened.remove(self)

    def _share_failure(self, kept: Future[None]) -> None:
        if not self.value.done():
            self.value.set_exception(kept.exception())


class _Running(Generic[T]):
    """A coroutine on the other side, and its outcome on this one."""

    def __init__(
        self, inside: _Inside, coroutine: Coroutine[Any, Any, T], timeout: float | None = None
    ) -> None:
        self.outcome: Future[T] = Future()
        self.task: asyncio.Task[T] | None = None
        self._inside = inside
        self._coroutine = coroutine
        self._timeout = timeout

    def start(self) -> None:
        problem = self._inside.problem()
        if not problem and not self._inside.schedule(self._begin):
            problem = "closed already"
        if problem:
            self._coroutine.close()
            self.outcome.set_exception(UsageError(problem))

    def abandon(self) -> asyncio.Task[T]:
        """In the loop: cancel it, even if it has not begun."""
        task = self.task or self._begin()
        task.cancel()
        return task

    def _begin(self) -> asyncio.Task[T]:
        self.task = asyncio.get_running_loop().create_task(self._run())
        self.task.add_done_callback(self._finish)
        return self.task

    async def _run(self) -> T:
        async with asyncio.timeout(self._timeout):
            return await self._coroutine

    def _finish(self, task: asyncio.Task[T]) -> None:
        self._coroutine.close()  # it has not even begun if the task was cancelled at once
        if task.cancelled():
            self.outcome.set_exception(UsageError("closed meanwhile"))
        elif error := task.exception():
            self.outcome.set_exception(error)
        else:
            self.outcome.set_result(task.result())


class _Inside:
    """The other side: the thread and its loop."""

    def __init__(self, name: str) -> None:
        self.stopped = False
        self.opened: list[Opened[Any]] = []
        self._pid = os.getpid()
        self._lock = threading.Lock()  # so that nothing is scheduled behind the last thing
        self._started = threading.Event()
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve()), name=name, daemon=True
        )
        self._thread.start()
        self._started.wait()
        _living.add(self)

    @property
    def forked(self) -> bool:
        return os.getpid() != self._pid

    def problem(self) -> str:
        """Tell why nothing can be run from here, "" if it can."""
        if self.forked:
            return "made before this process was forked: make it anew in each process"
        if threading.current_thread() is self._thread:
            return "a portal cannot wait for its own thread: await there"
        return ""

    def schedule(self, callback: Callable[[], object]) -> bool:
        with self._lock:
            if not self.stopped:
                self._loop.call_soon_threadsafe(callback)
            return not self.stopped

    def stop(self) -> None:
        if self.forked:
            self.stopped = True
            return
        with self._lock:
            if not self.stopped:
                self.stopped = True
                self._loop.call_soon_threadsafe(self._stop.set)

    def join(self, timeout: float | None = None) -> None:
        if not self.forked and threading.current_thread() is not self._thread:
            self._thread.join(timeout)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._started.set()
        await self._stop.wait()
        for left in self.opened[::-1]:
            await asyncio.wait([left.begin_to_leave()])
            if left.fault:
                _log.error("could not close properly", exc_info=left.fault)
        _living.discard(self)


_living: set[_Inside] = set()


@atexit.register
def _close_all() -> None:
    for inside in list(_living):
        inside.stop()
    for inside in list(_living):
        inside.join(PATIENCE_AT_EXIT)
