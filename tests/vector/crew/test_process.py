"""A worker as a process: on a leash, and typed in its end."""

import asyncio
import os
import re
import signal

import pytest

from auniverse.errors import ProtocolError, UsageError, WorkerLostError
from auniverse.vector.crew.memory import nameless_file
from auniverse.vector.crew.orders import Collect, Open, Patience, Place, Tried
from auniverse.vector.crew.process import WorkerProcess
from tests.meter import ENV_ID, meters
from tests.vector.crew.children import children


@pytest.fixture
def file():
    descriptor = nameless_file()
    yield descriptor
    os.close(descriptor)


def pid(worker):
    return worker._process.pid


def test_a_killed_worker_says_how_it_ended(file):
    async def main():
        async with WorkerProcess("worker 7", file, print) as worker:
            os.kill(pid(worker), signal.SIGKILL)
            error = await worker.lost()
            assert type(error) is WorkerLostError
            assert str(error).startswith("worker 7 was killed by signal 9")
            assert error.retryable
            worker.tell(Collect(1, [0], Patience.ALL, None, 0))  # nobody hears it
            await asyncio.sleep(0)

    asyncio.run(main())
    assert not children()


def test_one_that_cannot_work_says_why(file):
    async def main():
        async with WorkerProcess("worker 0", file, print) as worker:
            worker.tell(Open([], {}))
            error = await worker.lost()
            assert re.search("exit code 1.*no remotes", str(error), re.DOTALL)
            with pytest.raises(UsageError, match="no remotes"):
                await worker.opened

    asyncio.run(main())


def test_it_ends_when_it_is_let_go_and_at_once_while_it_has_nothing_to_lose(file):
    async def main():
        async with meters(1) as hosts:
            async with WorkerProcess("worker 0", file, print) as worker:
                worker.tell(Open([Place(0, hosts[0].remote, ENV_ID, False)], {}))
                opened = await worker.opened
                assert opened.tried == {0: Tried(None, False)}
                assert opened.news.size == (24, 32)
            assert worker._process.returncode == 0
            async with WorkerProcess("worker 0", file, print) as worker:
                worker.tell(Open([Place(0, hosts[0].remote, ENV_ID, False)], {}))
            assert worker._process.returncode == -signal.SIGKILL

    asyncio.run(main())
    assert not children()


def test_a_python_that_is_not_there_is_a_typed_error(file, monkeypatch):
    monkeypatch.setattr("sys.executable", "/nowhere/python")

    async def main():
        with pytest.raises(WorkerLostError, match="cannot be started"):
            async with WorkerProcess("worker 0", file, print):
                raise ProtocolError("unreachable")

    asyncio.run(main())
