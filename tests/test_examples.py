"""That the examples run and do what they say; how well they learn is in docs/learning.md.

They run in this process, so that what they import is imported once, and late: a worker that runs
none of them need not wait for it.
"""

from __future__ import annotations

import json
import re
import runpy
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import SyncVectorEnv

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
        rollout=32, steps=20_000, rate=1e-3, threshold=0.9, seed=1, realtime=False
    )
    envs = SyncVectorEnv([Match] * 4, autoreset_mode="SameStep")
    run = parts["train"](envs, options)
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


@pytest.mark.xdist_group("sb3")
def test_it_plays_in_real_time(ppo: Callable[[list[str]], Any]) -> None:
    run = ppo([*SMALL, "--realtime"])
    assert (run["realtime"], len(run["curve"]), run["lost"]) == (True, 2, 0)


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
@pytest.mark.soak  # a cluster of Ray takes half a minute to come up
def test_rllib_learns(capsys: pytest.CaptureFixture[str]) -> None:
    main_of("rllib_ppo")(["--remotes", "2", "--iterations", "2", "--batch", "32"])
    assert re.search(r"iteration 2: 64 steps, .* 0 episodes lost", capsys.readouterr().out)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_every_example_says_how_it_is_used(path: Path) -> None:
    text = path.read_text()
    assert f"python examples/{path.name}" in text.split('"""')[1]
    assert "argparse.ArgumentParser(" in text
    assert "print(" in text
