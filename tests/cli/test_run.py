from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from typing import Any

import pytest

from auniverse.cli.run import Progress, pair, rows

from .command import CARTPOLE, COMMAND, auniverse

KEYS = {
    *("env_id", "remotes", "agent", "lockstep", "seed", "steps", "seconds", "fps", "updates"),
    *("bytes", "reward_sum", "episodes", "faults", "missed_deadlines", "frame_age_s"),
    *("lag_action_s", "observation_hash", "versions", "time", "bound", "workers"),
}
LOCKSTEP = ("--remotes", "2", "--steps", "15", "--lockstep", "--screen", "160x120")


def last_line(run: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout.splitlines()[-1])
    assert isinstance(result, dict)
    return result


def test_json_in_lockstep_is_repeatable_with_workers_too() -> None:
    first, again, shared = (
        last_line(auniverse("run", CARTPOLE, *LOCKSTEP, "--seed", "7", "--json", *more))
        for more in ((), (), ("--workers", "2"))
    )
    assert set(first) == KEYS
    assert [run["workers"] for run in (first, again, shared)] == [None, None, 2]
    assert shared["observation_hash"] == first["observation_hash"]
    assert shared["reward_sum"] == first["reward_sum"]
    assert first["observation_hash"] == again["observation_hash"]
    assert first["reward_sum"] == again["reward_sum"]
    assert (first["steps"], first["lockstep"], first["seed"]) == (15, True, 7)
    assert len(first["remotes"]) == len(first["fps"]["slots"]) == 2
    assert first["lag_action_s"] == {"p50": None, "p99": None}, "no key goes over VNC in lock-step"
    assert first["versions"]["auniverse"]
    assert sum(first["time"].values()) == pytest.approx(2 * first["time"]["seconds"])
    assert "-bound: " in first["bound"]


def test_statistics_on_the_way_go_to_stderr() -> None:
    run = auniverse(
        *("run", CARTPOLE, "--seconds", "0.6", "--stats-every", "0.2"),
        *("--screen", "160x120", "--agent", "noop", "--json"),
    )
    assert len(run.stdout.splitlines()) == 1
    on_the_way = [json.loads(line) for line in run.stderr.splitlines()]
    assert len(on_the_way) >= 2
    assert on_the_way[0]["steps"] < last_line(run)["steps"]


def test_without_json_it_is_a_table() -> None:
    run = auniverse("run", CARTPOLE, *LOCKSTEP, "--seed", "7")
    assert run.returncode == 0
    assert "lock-step" in run.stdout
    assert "15 in" in run.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("gym-core.Pong",), 2, "gym-core.Pong-v5"),
        ((CARTPOLE, "--remotes", "nonsense"), 2, "remotes"),
        ((CARTPOLE, "--fps", "0"), 2, "--fps"),
        ((CARTPOLE, "--agent", "genius", "--screen", "160x120"), 2, "random, noop"),
    ],
)
def test_wrong_calls_end_with_one_line(arguments: tuple[str, ...], code: int, message: str) -> None:
    run = auniverse("run", *arguments)
    assert (run.returncode, run.stdout) == (code, "")
    assert message in run.stderr
    assert run.stderr.count("\n") == 1


def test_ctrl_c_ends_it_with_130_and_a_terminal_sees_it_run() -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "run", CARTPOLE, "--seconds", "50", "--screen", "160x120"],
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    with process, os.fdopen(ours, "rb", buffering=0) as terminal:
        seen = b""
        while b"step" not in seen:
            seen += terminal.read(1000)
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
        assert process.stdout is not None
        assert process.stdout.read() == b""


def test_unknown_figures_are_said_to_be_unknown() -> None:
    nothing = {"p50": None, "p99": None}
    assert pair(nothing, 1, " ms") == "unknown"
    assert pair({"p50": 0.0121, "p99": 0.5}, 1e3, " ms") == "12.1 ms median, 500.0 ms p99"
    result: dict[str, Any] = dict.fromkeys(KEYS, 0)
    result.update(fps=nothing, frame_age_s=nothing, lag_action_s=nothing, remotes=["vnc://a:1"])
    result["observation_hash"] = ""
    result["time"] = {"seconds": 8.0, "waiting": 6.0, "agent": 2.0}
    assert ("time went to", "waiting 75%, agent 25%") in rows(result)
    assert ("age of a frame", "unknown") in rows(result)


@pytest.mark.parametrize("live", [False, True])
def test_a_terminal_sees_each_remote_boot(
    live: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: live)
    progress = Progress(None)
    progress.starting("by hand", "docker run")
    progress.starting("gym-core-0", "creating")
    progress.starting("gym-core-1", "booting")
    seen = capsys.readouterr().err
    assert ("gym-core-0: creating, gym-core-1: booting" in seen) is live
    assert seen.startswith("by hand: docker run\n")
    assert seen.count("\n") == 1
