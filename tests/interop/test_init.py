from __future__ import annotations

import importlib
import sys

import pytest

from auniverse.errors import MissingDependencyError


@pytest.mark.parametrize(
    ("extra", "needs"),
    [
        ("sb3", "stable_baselines3.common.vec_env"),
        ("torchrl", "tensordict"),
        ("rllib", "ray.rllib.env.single_agent_env_runner"),
    ],
)
def test_an_extra_that_is_absent_names_itself(
    extra: str, needs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, needs, None)
    monkeypatch.delitem(sys.modules, f"auniverse.interop.{extra}", raising=False)
    with pytest.raises(MissingDependencyError, match=rf"pip install 'auniverse\[{extra}\]'"):
        importlib.import_module(f"auniverse.interop.{extra}")


def test_the_room_imports_no_library() -> None:
    importlib.import_module("auniverse.interop")
