from __future__ import annotations

import asyncio

import pytest

from auniverse.cli.play import Game, Plan, play, summary
from auniverse.errors import UnknownEnvError
from auniverse.vector import Batch

from .command import CARTPOLE


def played(**options: object) -> tuple[Game, list[Batch]]:
    batches: list[Batch] = []
    plan = Plan(**{"env_ids": CARTPOLE, "remotes": "1", "screen": "160x120", **options})  # type: ignore[arg-type]
    game = asyncio.run(play(plan, lambda game, batch: batches.append(batch)))
    return game, batches


def test_lockstep_repeats_itself_and_a_seed_changes_it() -> None:
    options = {"remotes": "2", "steps": 40, "lockstep": True}
    first, batches = played(seed=3, **options)
    again, _ = played(seed=3, **options)
    other, _ = played(seed=4, **options)
    assert [len(batch) for batch in batches] == [2] * 40
    assert summary(first)["observation_hash"] == summary(again)["observation_hash"]
    assert summary(first)["observation_hash"] != summary(other)["observation_hash"]
    assert summary(first)["reward_sum"] == summary(again)["reward_sum"] > 0
    assert summary(first)["episodes"] >= 1


def test_different_games_side_by_side() -> None:
    ids = ("gym-core.CartPole-v1", "gym-core.FrozenLake-v1")
    game, batches = played(env_ids=ids, remotes="2", steps=3, lockstep=True)
    assert tuple(batches[-1].infos["env_id"]) == ids
    assert summary(game)["env_id"] == ids


def test_seconds_end_a_run_in_real_time() -> None:
    game, batches = played(seconds=0.3, fps=30.0, agent="noop")
    assert game.seconds >= 0.3
    assert summary(game)["steps"] == len(batches)
    assert summary(game)["observation_hash"]


def test_an_unknown_game_starts_nothing() -> None:
    with pytest.raises(UnknownEnvError):
        played(env_ids="gym-core.Pong")
