from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from auniverse.errors import ProvisionError, RemoteNotReadyError, UnknownEnvError, UsageError
from auniverse.remotes import Fleet, child
from auniverse.remotes.process import launch

#: Speaks the process protocol, and says on stderr what it was given.
STAND_IN = """
import json, os, sys
print(json.dumps(sys.argv[1:]), file=sys.stderr)
print(sys.stdin.readline(), file=sys.stderr)
print(os.getsid(0) == os.getpid(), file=sys.stderr, flush=True)
print('{"vnc_port": 1, "rewarder_port": 2}', flush=True)
sys.stdin.read()
print("let go", file=sys.stderr)
"""

READY = 'echo \'{"vnc_port": 1, "rewarder_port": 2}\'; '


def python(script: str) -> tuple[str, ...]:
    return (sys.executable, "-c", script)


def shell(script: str) -> tuple[str, ...]:
    return ("/bin/sh", "-c", script)


def children() -> set[int]:
    """Process ids of the children of this process, zombies included."""
    lists = Path("/proc/self/task").glob("*/children")
    return {int(pid) for pids in lists for pid in pids.read_text().split()}


async def enter(command: tuple[str, ...], n: int = 1, timeout: float = 30.0) -> Fleet:
    async with launch("gym-core", n, command=command, timeout=timeout) as fleet:
        return fleet


def refused(command: tuple[str, ...], timeout: float = 30.0, n: int = 1) -> ProvisionError:
    before = children()
    with pytest.raises(ProvisionError) as caught:
        asyncio.run(enter(command, n, timeout))
    assert children() == before
    return caught.value


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 (a fleet is asked, it does not call)
            await asyncio.sleep(0.01)


def test_what_a_host_is_given_and_what_it_gives() -> None:
    async def main() -> None:
        async with launch(
            "gym-core",
            2,
            env_id="gym-core.Pong-v5",
            screen="native",
            lease=7.5,
            command=python(STAND_IN),
        ) as fleet:
            assert [remote.name for remote in fleet] == ["gym-core-0", "gym-core-1"]
            assert [str(remote) for remote in fleet] == ["vnc://127.0.0.1:1+2"] * 2
            assert len({remote.rewarder_password for remote in fleet}) == 2
            assert {len(remote.vnc_password or "") for remote in fleet} == {8}
            assert all(fleet.alive(remote) for remote in fleet)
        for remote in fleet:
            given, credentials, own_session, *rest = filter(
                None, fleet.log_tail(remote).split("\n")
            )
            assert json.loads(given) == [
                "gym-core",
                "--leashed",
                "--vnc-port=0",
                "--rewarder-port=0",
                "--screen=native",
                "--env-id=gym-core.Pong-v5",
                "--lease=7.5",
            ]
            assert json.loads(credentials) == {
                "vnc_password": remote.vnc_password,
                "rewarder_password": remote.rewarder_password,
            }
            assert own_session == "True"
            assert rest == ["let go"]
            assert not fleet.alive(remote)

    before = children()
    asyncio.run(main())
    assert children() == before


def test_one_that_is_never_ready() -> None:
    error = refused(shell("echo loading >&2; cat >/dev/null"), timeout=1.0)
    assert isinstance(error, RemoteNotReadyError)
    assert str(error) == "gym-core-0 was not ready after 1 s; its log ends with:\nloading"


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("echo no game >&2; exit 3", "ended with exit code 3 .* ends with:\nno game"),
        ("printf 'no end' >&2; exit 1", "ends with:\nno end"),
        ("exit 0", "ended with exit code 0 before it was ready; it logged nothing"),
        ("kill -9 $$", ": killed by signal 9 before"),
        ("exec >&-; cat >/dev/null", "was not ready after 1 s"),
        ("echo hello; cat", "answered 'hello' instead of its ports"),
        ("echo '[1, 2]'; cat", "instead of its ports"),
        ("""echo '{"vnc_port": 1}'; cat""", "instead of its ports"),
        ("""echo '{"vnc_port": 1, "rewarder_port": 65536}'; cat""", "instead of its ports"),
    ],
)
def test_one_that_does_not_get_ready(script: str, complaint: str) -> None:
    error = refused(shell(script), timeout=1.0 if "not ready after" in complaint else 30.0)
    assert re.search(complaint, str(error))


def test_one_that_cannot_be_started() -> None:
    assert "cannot start /does/not/exist" in str(refused(("/does/not/exist",)))


def test_one_failure_ends_all(tmp_path: Path) -> None:
    # Only one can make the directory.
    script = f"mkdir {tmp_path}/once 2>/dev/null && exit 5; {READY} cat"
    assert "exit code 5" in str(refused(shell(script), n=3))


def test_as_many_boot_at_a_time_as_there_are_processors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    diary = tmp_path / "diary"
    # The second line is written before the answer; were two booting, they would mix.
    script = f"echo in >>{diary}; read line; echo out >>{diary}; {READY} cat >/dev/null"
    asyncio.run(enter(shell(script), n=4))
    assert diary.read_text().split() == ["in", "out"] * 4


def test_one_that_says_much_neither_blocks_nor_fills_the_memory() -> None:
    script = f"""
import sys
print("x" * 3_000_000, file=sys.stderr)
for number in range(10_000):
    print("line", number, file=sys.stderr, flush=number % 100 == 0)
{STAND_IN}
print("y" * 3_000_000)
print("the end", flush=True)
"""
    fleet = asyncio.run(enter(python(script)))
    tail = fleet.log_tail(fleet[0])
    assert tail.endswith("the end")
    assert "line 9999" in tail
    assert len(tail) < 10_000


def test_no_password_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    (remote,) = asyncio.run(enter(shell(READY + "echo hello >&2; cat >/dev/null")), debug=True)
    assert "gym-core-0: hello" in caplog.text
    assert remote.vnc_password
    assert remote.vnc_password not in caplog.text
    assert remote.rewarder_password
    assert remote.rewarder_password not in caplog.text


def test_one_that_dies_later_is_seen_to() -> None:
    async def main() -> None:
        before = children()
        async with launch("gym-core", command=python(STAND_IN)) as fleet:
            (pid,) = children() - before
            os.kill(pid, signal.SIGKILL)
            await until(lambda: fleet.alive(fleet[0]) is False)

    asyncio.run(main())


@pytest.mark.parametrize("signals", ["", "TERM"])
def test_one_that_goes_on_is_ended(
    signals: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(child, "_PATIENCE", 0.1)
    trap = f"trap '' {signals}; " if signals else ""
    before = children()
    asyncio.run(enter(shell(trap + READY + "while :; do sleep 0.02; done")))
    assert children() == before
    assert "goes on without its leash" in caplog.text


def test_a_cancelled_start_leaves_nothing() -> None:
    async def cancelled_after(turns: int) -> None:
        task = asyncio.create_task(enter(shell("cat >/dev/null"), n=2))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    before = children()
    for turns in range(16):
        asyncio.run(cancelled_after(turns))
        assert children() == before


def test_a_cancelled_use_leaves_nothing() -> None:
    async def use(entered: asyncio.Event) -> None:
        async with launch("gym-core", 2, command=python(STAND_IN)):
            entered.set()
            await asyncio.Event().wait()

    async def main() -> None:
        entered = asyncio.Event()
        task = asyncio.create_task(use(entered))
        await entered.wait()
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()  # impatient: while it is being stopped
        with pytest.raises(asyncio.CancelledError):
            await task

    before = children()
    asyncio.run(main())
    assert children() == before


def test_an_error_of_the_user_comes_through_as_it_is() -> None:
    async def main() -> None:
        async with launch("gym-core", command=python(STAND_IN)):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(main())


def test_the_real_host() -> None:
    async def main() -> None:
        async with launch("gym-core", 2, env_id="gym-core.CartPole-v1") as fleet:
            for remote in fleet:
                reader, writer = await asyncio.open_connection(remote.host, remote.vnc_port)
                assert await reader.readexactly(4) == b"RFB "
                writer.close()
                await writer.wait_closed()

    asyncio.run(main())


def test_the_real_host_with_an_unknown_environment() -> None:
    async def main() -> None:
        async with launch("gym-core", env_id="gym-core.Pogn-v5"):
            pass

    with pytest.raises(UnknownEnvError, match=r"mean gym-core\.Pong-v5"):
        asyncio.run(main())


PARENT = """
import asyncio, logging, sys
from auniverse.remotes import launch

async def main():
    async with launch("gym-core", 2, env_id="gym-core.CartPole-v1"):
        logging.info("all ready")
        await asyncio.Event().wait()

logging.basicConfig(level=logging.DEBUG, stream=sys.stdout, format="%(message)s")
asyncio.run(main())
"""


def test_children_die_with_a_killed_parent() -> None:
    with subprocess.Popen(python(PARENT), stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pids = []
        for line in parent.stdout:
            pids += [int(pid) for pid in re.findall(r"^gym-core-\d is process (\d+)$", line)]
            if line == "all ready\n":
                break
        watches = [os.pidfd_open(pid) for pid in pids]
        assert len(watches) == 2
        assert select.select(watches, [], [], 0) == ([], [], [])
        parent.kill()
    for watch in watches:  # readable once its process has ended
        assert select.select([watch], [], [], 30)[0] == [watch]
        os.close(watch)


def test_one_that_was_killed_is_replaced() -> None:
    async def main() -> None:
        before = children()
        async with launch("gym-core", 2, command=python(STAND_IN)) as fleet:
            _, old = fleet
            (pid, *_) = sorted(children() - before, reverse=True)
            os.kill(pid, signal.SIGKILL)
            await until(lambda: not all(map(fleet.alive, fleet)))
            (lost,) = (remote for remote in fleet if not fleet.alive(remote))
            assert fleet.cause_of_death(lost) == "killed by signal 9"
            new = await fleet.replace(lost)
            assert new.name == lost.name
            assert new.vnc_password != lost.vnc_password
            assert new in fleet
            assert lost not in fleet
            assert all(map(fleet.alive, fleet))
            assert fleet.cause_of_death(new) == ""
            new = await fleet.replace(old)  # one that lives is ended
            assert len(children() - before) == 2
            await fleet.pause(new)  # one that stands still ends like the others
        assert children() == before

    asyncio.run(main())


def test_a_cancelled_replacement_leaves_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        before = children()
        script = f"mkdir {tmp_path}/once && {READY} cat >/dev/null; cat"  # the first gets ready
        async with launch("gym-core", command=shell(script)) as fleet:
            replacing = asyncio.create_task(fleet.replace(fleet[0]))
            for _ in range(20):
                await asyncio.sleep(0)
            replacing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await replacing
            assert not fleet.alive(fleet[0])
        assert children() == before

    asyncio.run(main())


def test_a_launch_grows_and_shrinks() -> None:
    async def main() -> None:
        before = children()
        async with launch("gym-core", command=python(STAND_IN)) as fleet:
            new = await fleet.grow(2)
            assert [remote.name for remote in fleet] == ["gym-core-0", "gym-core-1", "gym-core-2"]
            assert len(children() - before) == 3
            await fleet.shrink(new[:1])
            assert len(children() - before) == 2
            assert [remote.name for remote in await fleet.grow(1)] == ["gym-core-3"]
        assert children() == before

    asyncio.run(main())


def test_one_that_was_ended_is_not_started_again() -> None:
    async def main() -> None:
        async with launch("gym-core", command=python(STAND_IN)) as fleet:
            pass
        with pytest.raises(UsageError, match="ended on purpose"):
            await fleet.replace(fleet[0])
        assert fleet.alive(fleet[0]) is False

    asyncio.run(main())
