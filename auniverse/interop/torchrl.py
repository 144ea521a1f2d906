"""Remotes as an `EnvBase` of TorchRL."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from auniverse.acquire import Spec
from auniverse.env import RemoteVectorEnv
from auniverse.errors import MissingDependencyError, UsageError

try:
    import torch
    from tensordict import TensorDict, TensorDictBase
    from torchrl.data import (
        Binary,
        Bounded,
        Categorical,
        Composite,
        MultiCategorical,
        TensorSpec,
        Unbounded,
    )
    from torchrl.envs import EnvBase
except ImportError as error:
    raise MissingDependencyError(
        "TorchRL is not installed: pip install 'auniverse[torchrl]'"
    ) from error


class RemoteTorchEnv(EnvBase):  # type: ignore[misc]  # TorchRL tells mypy nothing
    """Many remotes as one batched `EnvBase`; its batch size is (n,).

    It reads `action`, and writes `pixels` (uint8, (n, height, width, 3) RGB, or what `view=` makes
    of them), `reward` (n, 1), `done`, `terminated`, `truncated` (n, 1) and `valid` (n, 1). Nothing
    resets itself: TorchRL resets the ones that are done, by `_reset`, and they alone are waited
    for.

    A lost remote cuts its episode off: `truncated`, `valid` False, and a reward of 0.0 that is
    none: leave such steps out of a loss. `infos` then has the `fault`.

    Args:
        env_id: What all of them play.
        num_envs: How many; 1 takes as many as `remotes` names.
        remotes: Which (see `auniverse.env.Options`); as many as needed are started by default.
        device: Where the tensors shall be.
        options: Anything else in `auniverse.env.Options`, but `text`.

    Attributes:
        infos: What the last reset or step said besides, arrays by key (see `RemoteVectorEnv`).

    Raises:
        UsageError: An option is wrong, or TorchRL has no spec for such actions.
        ProvisionError: A remote did not start, where its spaces had to be asked for.
    """

    def __init__(
        self,
        env_id: str | None = None,
        num_envs: int = 1,
        remotes: Spec | None = None,
        *,
        device: Any = "cpu",
        **options: Any,
    ) -> None:
        self.envs = RemoteVectorEnv(
            env_id,
            num_envs,
            remotes,
            autoreset_mode=AutoresetMode.DISABLED,
            copy=True,  # torch warns of arrays that cannot be written to
            **{**options, "text": False},
        )
        self.infos: dict[str, Any] = {}
        self._next_seed: int | None = None
        n = self.envs.num_envs
        super().__init__(device=device, batch_size=[n])
        self.action_spec = spec_of(self.envs.single_action_space, n)
        self.reward_spec = Unbounded((n, 1))
        flag = Binary(1, (n, 1), dtype=torch.bool)
        self.done_spec = Composite(
            {key: flag.clone() for key in ("done", "terminated", "truncated")}, shape=(n,)
        )
        pixels = spec_of(self.envs.single_observation_space, n)
        self.observation_spec = Composite(pixels=pixels, valid=flag.clone(), shape=(n,))

    def _reset(self, tensordict: TensorDictBase | None = None, **_: Any) -> TensorDict:
        chosen: NDArray[np.bool_] = np.ones(self.num_envs, np.bool_)
        if tensordict is not None and "_reset" in tensordict:
            chosen = tensordict["_reset"].reshape(self.num_envs).cpu().numpy()
        options = {} if chosen.all() else {"reset_mask": chosen}
        pixels, self.infos = self.envs.reset(seed=self._next_seed, options=options)
        self._next_seed = None
        valid = self.infos["valid"] | ~chosen  # those that were not asked are playing on
        return TensorDict(self._seen(pixels, valid), self.batch_size, self.device)

    def _step(self, tensordict: TensorDictBase) -> TensorDict:
        actions = tensordict["action"].cpu().numpy()
        pixels, rewards, terminated, truncated, self.infos = self.envs.step(actions)
        flags = {"done": terminated | truncated, "terminated": terminated, "truncated": truncated}
        return TensorDict(
            {
                **self._seen(pixels, self.infos["valid"]),
                "reward": _column(rewards.astype(np.float32)),
                **{key: _column(flag) for key, flag in flags.items()},
            },
            self.batch_size,
            self.device,
        )

    def _seen(self, pixels: NDArray[np.uint8], valid: NDArray[np.bool_]) -> dict[str, Any]:
        return {"pixels": torch.from_numpy(pixels), "valid": _column(valid)}

    def _set_seed(self, seed: int | None) -> None:
        self._next_seed = seed

    @property
    def num_envs(self) -> int:
        """How many remotes there are."""
        return self.envs.num_envs

    def close(self, *, raise_if_closed: bool = True) -> None:
        """Give the remotes back. Twice is once, if `raise_if_closed` is False."""
        self.envs.close()
        super().close(raise_if_closed=raise_if_closed)


def spec_of(space: gymnasium.Space[Any], n: int) -> TensorSpec:
    """Return TorchRL's spec of a batch of n from a space.

    Raises:
        UsageError: TorchRL has none, as for lists of events.
    """
    match space:
        case gymnasium.spaces.Discrete():
            return Categorical(int(space.n), (n,))
        case gymnasium.spaces.MultiDiscrete():
            return MultiCategorical(space.nvec.tolist(), (n, *space.shape))
        case gymnasium.spaces.MultiBinary():
            return Binary(space.shape[0], (n, *space.shape), dtype=torch.int8)
        case gymnasium.spaces.Box():
            low, high = float(space.low.flat[0]), float(space.high.flat[0])
            dtype = torch.from_numpy(np.empty(0, space.dtype)).dtype
            return Bounded(low, high, (n, *space.shape), dtype=dtype)
    raise UsageError(f"TorchRL has no spec for {space}: say actions='discrete' or 'keys'")


def _column(values: NDArray[Any]) -> torch.Tensor:
    return torch.from_numpy(values.copy()).unsqueeze(1)
