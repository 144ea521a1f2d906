"""Whatever happens to remotes, no reward is made up, nothing raises, and nothing is left."""

import asyncio
import os
import sys

import pytest

from .books import Account, Books
from .storm import Storm, nothing_left, weather


def play(storm, directory):
    async def main():
        log = await weather(storm, directory)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return log

    with nothing_left():
        log = asyncio.run(main())
    sys.stdout.write("".join(f"{line}\n" for line in log.table()))
    assert log.tally["whole"] > 0
    assert log.tally["rewards"] > 0
    assert len(log.absent) > 0
    return log


def test_a_short_storm(tmp_path):
    storm = Storm(
        seconds=20.0, remotes=4, kill_every=2.3, stall_every=3.1, reset_every=3.7, silence=1.5
    )
    log = play(storm, tmp_path)
    assert log.hits["killed"] >= 3
    assert log.books.faults >= 3
    assert log.stats["replaced"] >= 1


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_a_long_storm(tmp_path):
    seconds = float(os.environ.get("SOAK_SECONDS", "1800"))
    remotes = int(os.environ.get("SOAK_REMOTES", "16"))
    each = remotes / 16
    storm = Storm(
        seconds, remotes, kill_every=5 / each, stall_every=11 / each, reset_every=7 / each
    )
    log = play(storm, tmp_path)
    assert max(log.late, default=0.0) <= 2.0
    assert log.memory[-1] <= 1.05 * log.memory[0]


@pytest.mark.parametrize("received", [[1.0, 3.0, 5.0], [1.0, 5.0], [1.0, 1.0, 3.0]])
def test_the_audit_finds_what_is_wrong(tmp_path, received):
    (tmp_path / "host").write_text("episode 1\nreward 1.0\nreward 3.0\nover\n")
    books = Books([0])
    first = {"valid": True, "reset": True, "text": "host 1"}
    books.note(0, 0.0, False, first)
    for reward in received:
        books.note(0, reward, False, {**first, "reset": False})
    with pytest.raises(AssertionError, match="no host gave this reward"):
        books.audit(tmp_path)


def test_the_audit_misses_no_lack(tmp_path):
    (tmp_path / "host").write_text("episode 1\nreward 1.0\nreward 3.0\nover\n")
    for over, complaint in ((True, "lacks a reward"), (False, None)):
        books = Books([0])
        books.file(Account("host 1", 1.0, over))
        if complaint:
            with pytest.raises(AssertionError, match=complaint):
                books.audit(tmp_path)
        else:
            assert books.audit(tmp_path) == {"rewards": 1, "broken": 1, "lost": 1}
