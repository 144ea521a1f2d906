from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.wrappers import FrameStackObservation, TransformObservation

from auniverse.env import Options, RemoteEnv
from auniverse.errors import UsageError
from auniverse.vector import View, attach, share


@pytest.mark.parametrize(
    ("screen", "size", "said"),
    [
        ("1024x768", (1024, 768), "1024x768"),
        ("84x84", (84, 84), "84x84"),
        ((320, 200), (320, 200), "320x200"),
        ([320, 200], (320, 200), "320x200"),
        ("native", None, "native"),
    ],
)
def test_screens(screen: Any, size: object, said: str) -> None:
    options = Options(screen=screen)
    assert options.size == size
    assert options.pool_options()["screen"] == said


@pytest.mark.parametrize("screen", ["1024", "0x5", "-1x5", "1024x768x3", (1024,), (0, 1), "Native"])
def test_what_is_no_screen_is_refused(screen: Any) -> None:
    with pytest.raises(UsageError, match="screen="):
        Options(screen=screen)


def test_what_is_no_rate_is_refused() -> None:
    with pytest.raises(UsageError, match="fps=0"):
        Options(fps=0)


def test_the_pool_gets_what_it_takes() -> None:
    options = Options("gym-core.Pong-v5", reset_timeout=5.0, vnc_kwargs={"encoding": "raw"})
    assert options.pool_options() == {
        "env_id": "gym-core.Pong-v5",
        "screen": "1024x768",
        "start_timeout": None,
        "client_id": None,
        "docker_image": None,
        "vnc_kwargs": {"encoding": "raw"},
        "fps": "default",
        "lockstep": False,
        "link": "local",
        "view": None,
        "shared_memory": False,
        "silence": 5.0,
        "retries": 5,
        "on_exhausted": "drop",
        "reset_timeout": 5.0,
    }
    assert not {"reset_timeout", "workers"} & Options().pool_options().keys()
    assert Options(workers=2).pool_options()["workers"] == 2


def test_which_remotes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GYM_VNC_REMOTES", raising=False)
    assert Options().spec(3) == 3
    assert Options(remotes="process:2").spec(3) == "process:2"
    monkeypatch.setenv("GYM_VNC_REMOTES", "vnc://a:1")
    assert Options().spec(3) == "vnc://a:1"
    assert Options(remotes=2).spec(3) == 2
    monkeypatch.setenv("GYM_VNC_REMOTES", "")
    assert Options().spec(3) == 3


def test_a_view_is_what_gymnasiums_wrappers_make_of_the_screen() -> None:
    """Grey and stacked as Gymnasium stacks, in lock-step, where seeds repeat what is seen."""
    said: dict[str, Any] = {"lockstep": True, "screen": "96x64", "render_mode": "rgb_array"}
    view = View(crop=(8, 4, 80, 60), size=(30, 40), stack=3)
    ours = gymnasium.make("gym-core.CartPole-v1", view=view, **said)
    theirs = FrameStackObservation(
        TransformObservation(
            gymnasium.make("gym-core.CartPole-v1", **said),
            lambda screen: screen[4:64, 8:88].reshape(30, 2, 40, 2, 3).mean((1, 3)),
            gymnasium.spaces.Box(0, 255, (30, 40, 3)),
        ),
        3,
    )
    assert ours.observation_space == gymnasium.spaces.Box(0, 255, (3, 30, 40, 3), np.uint8)
    (mine, _), (real, _) = ours.reset(seed=3), theirs.reset(seed=3)
    for action in [1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1]:
        assert mine in ours.observation_space
        assert mine.flags.writeable
        assert np.array_equal(mine, np.floor(np.asarray(real) + 0.5))
        assert np.array_equal(ours.render(), theirs.render()), "all of the screen, in colours"
        mine, _, over, *_ = ours.step(action)
        real, *_ = theirs.step(action)
        if over:
            (mine, _), (real, _) = ours.reset(), theirs.reset()
    ours.close()
    theirs.close()


def test_many_have_views_in_shared_memory() -> None:
    options: dict[str, Any] = {"lockstep": True, "screen": "96x64", "shared_memory": True}
    envs = gymnasium.make_vec(
        "gym-core.CartPole-v1", 2, view={"size": (12, 16), "grey": True}, **options
    )
    assert envs.single_observation_space.shape == (12, 16)
    assert envs.observation_space.shape == (2, 12, 16)
    first, _ = envs.reset(seed=0)
    assert np.array_equal(attach(share(first)), first)
    second, *_ = envs.step(np.array([0, 1]))
    assert second in envs.observation_space
    assert np.array_equal(attach(share(second)), second)
    envs.close()


def test_an_own_observation_is_a_copy_unless_told_otherwise() -> None:
    env = RemoteEnv("gym-core.CartPole-v1", copy=False, lockstep=True, screen="96x64")
    first, _ = env.reset(seed=0)
    assert not first.flags.writeable
    before = first.copy()
    for action in (1, 1, 1):
        last, *_ = env.step(action)
    assert np.array_equal(first, before)
    assert not np.array_equal(last, before)
    env.close()


def test_settings_of_the_environment_become_part_of_its_id() -> None:
    options = Options.read("internet.Page-v0", None, {"url": "http://a/?b", "fps": 5})
    assert (options.env_id, options.fps) == ("internet.Page-v0?url=http%3A%2F%2Fa%2F%3Fb", 5)
    changed = options.change({"url": "http://c", "fps": 7})
    assert (changed.env_id, changed.fps) == ("internet.Page-v0?url=http%3A%2F%2Fc", 7)
    assert options.change({}) == options
    with pytest.raises(UsageError, match=r"gym-core\.Pong-v5 has no setting 'url'"):
        Options.read("gym-core.Pong-v5", None, {"url": "http://a"})
    with pytest.raises(UsageError, match="say which env_id"):
        Options.read(None, None, {"url": "http://a"})
