"""That the examples run and do what they say; how well they learn is in docs/learning.md.

They run in this process, so that what they import is imported once, and late: a worker that runs
none of them need not wait for it.
"""

from __future__ import annotations

import asyncio
import json
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import SyncVectorEnv
from numpy.typing import NDArray

from auniverse.vector import INFO_KEYS, Batch, Result

EXAMPLES = Path(__file__).parent.parent / "examples"
SMALL = ["--remotes", "2", "--rollout", "8", "--steps", "32"]


def main_of(name: str) -> Callable[[list[str]], Any]:
    found: Callable[[list[str]], Any] = runpy.run_path(str(EXAMPLES / f"{name}.py"))["main"]
    return found


@pytest.fixture(scope="module")
def ppo() -> Callable[[list[str]], Any]:
    return main_of("ppo")


@pytest.mark.xdist_group("sb3")
def test_equal_seeds_make_equal_policies(ppo: Callable[[list[str]], Any], tmp_path: Path) -> None:
    out = tmp_path / "run.json"
    one, same = (ppo([*SMALL, "--seed", seed, "--out", str(out)]) for seed in "11")
    assert json.loads(out.read_text()) == same
    untimed = [[[at[0], *at[2:]] for at in run["curve"]] for run in (one, same)]
    assert untimed[0] == untimed[1]
    assert [at[0] for at in untimed[0]] == [16, 32]
    assert one["policy"] == same["policy"]


class Match(gymnasium.Env[Any, Any]):
    """One half of the picture is dark; to say which one is worth 1. Every fifth remote is lost."""

    observation_space = gymnasium.spaces.Box(0, 255, (2, 20, 75), np.uint8)
    action_space = gymnasium.spaces.Discrete(2)
    number = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.number += 1
        self.dark = int(self.np_random.integers(2))
        picture = np.full((2, 20, 75), 255, np.uint8)
        picture[:, :, 37 * self.dark : 37 * self.dark + 38] = 0
        return picture, {"valid": True}

    def step(self, action: int) -> Any:
        picture = np.zeros((2, 20, 75), np.uint8)
        if self.number % 5 == 0:
            return picture, 0.0, False, True, {"valid": False}
        return picture, float(action == self.dark), True, False, {"valid": True}


@pytest.mark.xdist_group("sb3")
def test_it_learns_until_the_threshold_and_its_curve_is_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = runpy.run_path(str(EXAMPLES / "ppo.py"))
    options = SimpleNamespace(
        rollout=32, remotes=4, steps=20_000, rate=1e-3, threshold=0.9, seed=1, realtime=False
    )
    envs = SyncVectorEnv([Match] * 4, autoreset_mode="SameStep")
    parts["torch"].manual_seed(options.seed)
    run = asyncio.run(parts["train"](parts["LockstepPlayer"](envs, options.seed), options))
    steps, _, episodes, mean = run["curve"][-1]
    assert (run["reached"], run["mean"] >= 0.9, mean >= 0.9) == (True, True, True)
    assert run["curve"][0][3] < 0.7, "it could do it before it had learned"
    assert episodes + run["lost"] == steps
    assert run["lost"] == steps // 5 // 4 * 4
    assert re.search(rf"{steps} steps .* mean return", capsys.readouterr().out)
    out = tmp_path / "run.json"
    out.write_text(json.dumps(run))
    png, together = tmp_path / "curve.png", tmp_path / "runs.json"
    main_of("curve")([str(out), str(out), "--png", str(png), "--json", str(together)])
    assert png.read_bytes().startswith(b"\x89PNG")
    assert json.loads(together.read_text()) == [run, run]


class LivePool:
    """What a `SessionPool` of remotes that do not wait returns, by plan.

    Each turn of the plan says for some slots what their result is: "r" is a first observation, "."
    a reward of 1, "t" terminated, "c" truncated, "f" lost; and when it was drawn, in milliseconds.
    The picture is as bright as it is old.
    """

    observation_shape = (20, 75)
    v1 = SimpleNamespace(actions=(("Left",), ("Right",)))

    def __init__(self, plan: list[dict[int, tuple[str, int]]]) -> None:
        self.plan = plan
        self.num_envs = len(plan[0])
        self.sent: list[dict[int, list[Any]]] = []

    def begin_reset(self, seed: int) -> None:
        self.owing = set(range(self.num_envs))

    def send(self, actions: list[list[Any]], env_ids: NDArray[np.int64]) -> None:
        self.sent.append(dict(zip(env_ids.tolist(), actions, strict=True)))
        assert not self.owing & {*self.sent[-1]}
        self.owing |= {*self.sent[-1]}

    async def recv(self, min_envs: int) -> Batch:
        turn = self.plan.pop(0)
        assert (min_envs, self.owing & {*turn}) == (1, {*turn})
        self.owing -= {*turn}
        pictures = [np.full((20, 75), drawn, np.uint8) for _, drawn in turn.values()]
        results = []
        for slot, (letter, drawn) in turn.items():
            news = {"reset": letter == "r", "valid": letter != "f", "frame_time_s": drawn / 1000}
            info = {**dict.fromkeys(INFO_KEYS, 0), **news}
            gone = letter in "cf"
            results.append(Result(slot, float(letter in ".tc"), letter == "t", gone, info))
        return Batch(np.stack(pictures), results)


@pytest.mark.xdist_group("sb3")
def test_a_remote_that_does_not_wait_is_answered_by_itself() -> None:
    """What it sees, when it decides and what a decision earns, with a policy that is known."""
    parts = runpy.run_path(str(EXAMPLES / "ppo.py"))
    torch, scale = parts["torch"], parts["REWARD_SCALE"]
    pool = LivePool(
        [
            {0: ("r", 0), 1: ("r", 4)},
            {0: (".", 20)},  # too early for another decision
            {1: (".", 44)},
            {0: (".", 41)},
            {0: (".", 41)},  # a reward that comes behind its picture
            {0: ("t", 61), 1: ("f", 44)},
            {1: ("r", 90)},
            {0: ("r", 81), 1: ("c", 110)},
            {0: ("c", 121)},
        ]
    )
    options = SimpleNamespace(rollout=3, seed=1, decisions=25)
    player = parts["LivePlayer"](pool, options)
    player.policy = lambda seen: (torch.tensor([[-99.0, 0.0]] * len(seen)), seen[:, 1, 0, 0] / 1.0)
    one, zero = asyncio.run(player.play(3, None))  # slot 1 had its three decisions first
    assert pool.plan == []
    right = [("KeyEvent", "Left", False), ("KeyEvent", "Right", True)]
    decided = [[slot for slot, events in turn.items() if events] for turn in pool.sent]
    assert decided == [[0, 1], [], [1], [0], [], [], [1], [0], []]
    assert all(events in ([], right) for turn in pool.sent for events in turn.values())
    assert one.seen[:, 0, :, 0, 0].tolist() == [[4, 4, 0], [4, 44, 200], [90, 90, 0]]
    assert zero.seen[:, 0, :, 0, 0].tolist() == [[0, 0, 0], [0, 41, 200], [81, 81, 0]]
    assert (one.values[:, 0].tolist(), zero.values[:, 0].tolist()) == ([4, 44, 90], [0, 41, 81])
    later = parts["DISCOUNT"]
    assert one.rewards[:, 0].tolist() == pytest.approx([scale, 0, scale + later * 110])
    assert zero.rewards[:, 0].tolist() == pytest.approx([2 * scale] * 2 + [scale + later * 121])
    assert (one.over[:, 0].tolist(), zero.over[:, 0].tolist()) == ([0, 1, 1], [0, 1, 1])
    assert (one.valid[:, 0].tolist(), zero.valid[:, 0].tolist()) == ([1, 0, 1], [1, 1, 1])
    assert (player.episodes, player.lost, [*player.returns]) == (3, 1, [4.0, 1.0, 1.0])


@pytest.mark.xdist_group("sb3")
def test_a_controller_pushes_to_where_the_pole_leans(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))  # where `ppo` is, as for a script
    parts = runpy.run_path(str(EXAMPLES / "balance.py"))
    options = SimpleNamespace(rollout=1, seed=1, decisions=25)
    controller = parts["Controller"](LivePool([{0: ("r", 0)}]), options)
    leaning = np.full((2, 3, 20, 75), 255, np.uint8)
    for row, right in ((row, right) for row in range(2, 14) for right in (0, 1)):
        leaning[right, :, row, 37 + (14 - row) // 2 * (1 if right else -1)] = 160
    leaning[:, :, 18, 34:41] = 0
    assert controller.choose(parts["torch"].tensor(leaning))[0].tolist() == [0, 1]
    result = parts["main"](["--remotes", "1", "--seconds", "1"])
    assert f"{result['episodes']} episodes, mean return" in capsys.readouterr().out
    assert result["rate"] > 0


@pytest.mark.timeout(150)  # two processes import torch
@pytest.mark.xdist_group("sb3")
def test_it_plays_in_real_time(tmp_path: Path) -> None:
    """As a program: its learner is a process, which has to find what it learns with."""
    out = tmp_path / "run.json"
    program = [sys.executable, str(EXAMPLES / "ppo.py"), *SMALL, "--realtime", "--out", str(out)]
    subprocess.run(program, check=True, capture_output=True, timeout=100)
    run = json.loads(out.read_text())
    assert (run["realtime"], run["lost"]) == (True, 0)
    assert run["curve"][-1][0] >= 32
    assert len(run["policy"]) == 16


@pytest.mark.xdist_group("sb3")
def test_stable_baselines3_learns(capsys: pytest.CaptureFixture[str]) -> None:
    few = ["--remotes", "2", "--steps", "16", "--rollout", "8", "--episodes", "1"]
    main_of("sb3_ppo")(few)
    assert "return of 1 episodes" in capsys.readouterr().out


@pytest.mark.xdist_group("torchrl")
@pytest.mark.filterwarnings("ignore:.*WeightUpdater:DeprecationWarning")  # its own classes
def test_torchrl_collects(capsys: pytest.CaptureFixture[str]) -> None:
    main_of("torchrl_rollouts")(["--remotes", "2", "--batches", "2", "--frames", "32"])
    printed = capsys.readouterr().out
    assert "batch 2: pixels (2, 16, 3, 84, 84), 32 valid steps" in printed


@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # files of Ray's own
@pytest.mark.soak  # a cluster of Ray takes half a minute to come up
def test_rllib_learns(capsys: pytest.CaptureFixture[str]) -> None:
    main_of("rllib_ppo")(["--remotes", "2", "--iterations", "2", "--batch", "32"])
    # Two runners sample what is asked for, or the step more that the last of them was in.
    assert re.search(r"iteration 2: 6[4-8] steps, .* 0 episodes lost", capsys.readouterr().out)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_every_example_says_how_it_is_used(path: Path) -> None:
    text = path.read_text()
    assert f"python examples/{path.name}" in text.split('"""')[1]
    assert "argparse.ArgumentParser(" in text
    assert "print(" in text
