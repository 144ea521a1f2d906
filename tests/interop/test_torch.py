"""Tensors are the batch's own memory, hold it, and come without warnings, which are errors."""

from __future__ import annotations

import importlib
import sys

import numpy as np
import pytest
import torch

from auniverse.errors import MissingDependencyError
from auniverse.interop.torch import tensor, tensors
from auniverse.vector import Frames, View
from tests.fakes import FakePool

cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA here")


def test_a_tensor_is_the_same_memory_and_holds_it() -> None:
    frames = Frames(2, view=View(grey=True))
    for slot in range(2):
        frames.allocator(slot)(8, 6)[...] = 9
    batch = frames.rows([0, 1])
    seen = tensor(batch)
    assert (seen.dtype, tuple(seen.shape)) == (torch.uint8, (2, 6, 8))
    assert seen.data_ptr() == batch.__array_interface__["data"][0]
    address = seen.data_ptr()
    del batch
    assert frames.rows([0, 1]).__array_interface__["data"][0] != address, "the tensor holds it"
    assert bool((seen == 9).all())
    del seen
    addresses = {frames.rows([0, 1]).__array_interface__["data"][0] for _ in range(3)}
    assert len(addresses) == 1, "and lets it go"


def test_what_can_be_written_is_taken_as_it_is() -> None:
    array = np.zeros((2, 3), np.float32)
    tensor(array)[0, 0] = 5
    assert array[0, 0] == 5
    assert tensor(array[:, 1], pinned=False).stride() == (3,)


def test_a_batch_becomes_six() -> None:
    pool = FakePool("rt", "rf")
    pool._play([0, 1])
    batch = pool._play([0, 1])
    observations, rewards, terminations, truncations, valid, env_ids = tensors(batch, pinned=True)
    assert observations.flatten()[0] == 2
    assert rewards.dtype == torch.float32
    assert terminations.tolist() == [True, False]
    assert truncations.tolist() == [False, True]
    assert valid.tolist() == [True, False]
    assert env_ids.tolist() == [0, 1]


def test_another_device_gets_a_copy() -> None:
    """`meta` has no memory, and no CUDA is asked for it: the way there is what is tried."""
    there = tensor(np.zeros((2, 3), np.uint8), "meta")
    assert (there.device.type, tuple(there.shape)) == ("meta", (2, 3))


@cuda
def test_a_gpu_gets_it_through_pinned_memory() -> None:
    array = np.arange(12, dtype=np.uint8)
    array.flags.writeable = False
    assert tensor(array, "cuda").cpu().tolist() == array.tolist()
    assert tensor(array, pinned=True).is_pinned()


def test_torch_that_is_absent_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "auniverse.interop.torch")
    with pytest.raises(MissingDependencyError, match=r"pip install 'auniverse\[learn\]'"):
        importlib.import_module("auniverse.interop.torch")
