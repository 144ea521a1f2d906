"""Batches as tensors of PyTorch: without a copy on the CPU, through pinned memory to a GPU.

::

    from auniverse.interop.torch import tensor, tensors

    batch = await pool.recv()
    observations = tensor(batch.observations)              # the same memory
    on_gpu = tensors(batch, "cuda")                        # observations, rewards, ...

PyTorch knows no tensor that is read-only, and warns of arrays that are. Its tensor of a batch's
observations is the very memory that the pool fills again once nobody refers to it, and the pool
copies only what changed: what you write into it may be seen later. Write into a `clone()`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from auniverse.errors import MissingDependencyError
from auniverse.vector import Batch

try:
    import torch
except ImportError as error:
    raise MissingDependencyError(
        "torch is missing: pip install 'auniverse[learn]'", name="torch"
    ) from error


class Tensors(NamedTuple):
    """A batch as tensors; see `Batch` for what each is.

    Attributes:
        observations: uint8 (n, *shape).
        rewards: float32 (n,).
        terminations: bool (n,).
        truncations: bool (n,).
        valid: bool (n,); where it is false, the reward is none.
        env_ids: int64 (n,).
    """

    observations: torch.Tensor
    rewards: torch.Tensor
    terminations: torch.Tensor
    truncations: torch.Tensor
    valid: torch.Tensor
    env_ids: torch.Tensor


class _Lent:
    """An array's memory, as if it could be written; the array is held."""

    def __init__(self, array: NDArray[Any]) -> None:
        self._array = array
        interface = array.__array_interface__
        self.__array_interface__ = {**interface, "data": (interface["data"][0], False)}


def tensor(
    array: NDArray[Any], device: str | torch.device = "cpu", *, pinned: bool = False
) -> torch.Tensor:
    """Return an array as a tensor.

    Args:
        array: Such as `Batch.observations`; read-only or not.
        device: Where the tensor is. On the CPU it is the array's own memory, which it holds. To any
            other device it goes through pinned memory, without waiting until it is there: the
            device's queue keeps the order, and the array is free at once.
        pinned: On the CPU, whether to return a copy in pinned memory. Without CUDA nothing can be
            pinned, and the memory stays the array's.
    """
    lent = array if array.flags.writeable else np.asarray(_Lent(array))
    found = torch.from_numpy(lent)
    cuda = torch.cuda.is_available()
    if torch.device(device).type == "cpu":
        return found.pin_memory() if pinned and cuda else found
    return (found.pin_memory() if cuda else found).to(device, non_blocking=True)


def tensors(batch: Batch, device: str | torch.device = "cpu", *, pinned: bool = False) -> Tensors:
    """Return a batch as tensors; the arguments are those of `tensor`."""
    columns = (
        batch.observations,
        batch.rewards.astype(np.float32),
        batch.terminations,
        batch.truncations,
        batch.infos["valid"],
        batch.env_ids,
    )
    return Tensors(*(tensor(column, device, pinned=pinned) for column in columns))
