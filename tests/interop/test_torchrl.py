"""TorchRL is imported late: it takes seconds, and most workers run none of this."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
import pytest
import torch

from auniverse.errors import UsageError
from tests.fakes import FakePool

from .conftest import SCRIPTED

if TYPE_CHECKING:
    from auniverse.interop.torchrl import RemoteTorchEnv

pytestmark = pytest.mark.xdist_group("torchrl")

Script = Callable[..., FakePool]
CARTPOLE: dict[str, Any] = {
    "env_id": "gym-core.CartPole-v1",
    "num_envs": 2,
    "lockstep": True,
    "screen": "30x20",
}


def remotes(**options: Any) -> RemoteTorchEnv:
    from auniverse.interop.torchrl import RemoteTorchEnv

    return RemoteTorchEnv(**options)


def test_torchrls_checker_is_content() -> None:
    from torchrl.envs.utils import check_env_specs

    env = remotes(**CARTPOLE)
    check_env_specs(env, break_when_any_done="both", seed=3)
    env.close()


def test_seeds_and_transforms_work() -> None:
    from torchrl.envs import Compose, RewardSum, ToTensorImage, TransformedEnv

    env = remotes(**CARTPOLE)
    seen = TransformedEnv(env, Compose(ToTensorImage(in_keys=["pixels"]), RewardSum()))
    rollouts = []
    for _ in range(2):
        torch.manual_seed(5)
        seen.set_seed(4)
        rollouts.append(seen.rollout(40, break_when_any_done=False))
    assert (rollouts[0] == rollouts[1]).all()
    assert rollouts[0]["pixels"].shape == (2, 40, 3, 20, 30)
    done = rollouts[0]["next", "done"]
    assert done.any()
    assert (rollouts[0]["next", "episode_reward"][done] >= 8).all()
    seen.close()


def test_only_those_that_are_done_are_reset(scripted: Script) -> None:
    pool = scripted("r.tr.", "r....")
    env = remotes(num_envs=2, **SCRIPTED)
    rollout = env.rollout(3, break_when_any_done=False)
    assert rollout["next", "terminated"].squeeze(-1).tolist() == [
        [False, True, False],
        [False, False, False],
    ]
    assert rollout["next", "pixels"][:, :, 0, 0, 0].tolist() == [[2, 3, 5], [2, 3, 4]]
    assert rollout["pixels"][:, :, 0, 0, 0].tolist() == [[1, 2, 4], [1, 2, 3]]
    assert rollout["valid"].all()
    assert [call for call in pool.calls if call[0] == "reset"] == [("reset", [None] * 2, [0, 1])]
    env.close()


def test_a_lost_remote_is_cut_off_and_not_valid(scripted: Script) -> None:
    scripted("r.fr.", "r....")
    env = remotes(num_envs=2, **SCRIPTED)
    env.reset()
    now = env.rand_action()
    steps = [env.step(now)["next"] for _ in range(2)]
    lost = steps[-1]
    for key, expected in (
        ("truncated", [True, False]),
        ("terminated", [False, False]),
        ("valid", [False, True]),
        ("reward", [0.0, 1.0]),
    ):
        assert lost[key].squeeze(-1).tolist() == expected
    assert env.infos["fault"][0]["type"] == "ConnectionLostError"
    env.close()
    env.close(raise_if_closed=False)


def test_every_space_has_its_spec() -> None:
    from torchrl.data import Binary, Bounded, Categorical, MultiCategorical

    from auniverse.interop.torchrl import spec_of

    spaces, specs = gymnasium.spaces, []
    for space, spec in (
        (spaces.Discrete(3), Categorical(3, (2,))),
        (spaces.MultiDiscrete([3, 2]), MultiCategorical([3, 2], (2, 2))),
        (spaces.MultiBinary(4), Binary(4, (2, 4), dtype=torch.int8)),
        (spaces.Box(-1, 1, (3,), np.float32), Bounded(-1.0, 1.0, (2, 3), dtype=torch.float32)),
    ):
        specs.append(spec_of(space, 2))
        assert specs[-1] == spec
        assert all(row in space for row in spec.rand().numpy())
    assert len({type(spec) for spec in specs}) == 4


def test_what_has_no_spec_is_refused() -> None:
    with pytest.raises(UsageError, match="actions='discrete'"):
        remotes(env_id="gym-core.CartPole-v1", actions="events")
