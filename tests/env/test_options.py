from __future__ import annotations

from typing import Any

import pytest

from auniverse.env import Options
from auniverse.errors import UsageError


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
        "vnc_kwargs": {"encoding": "raw"},
        "fps": "default",
        "lockstep": False,
        "link": "local",
        "silence": 5.0,
        "retries": 5,
        "on_exhausted": "drop",
        "reset_timeout": 5.0,
    }
    assert "reset_timeout" not in Options().pool_options()


def test_which_remotes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GYM_VNC_REMOTES", raising=False)
    assert Options().spec(3) == 3
    assert Options(remotes="process:2").spec(3) == "process:2"
    monkeypatch.setenv("GYM_VNC_REMOTES", "vnc://a:1")
    assert Options().spec(3) == "vnc://a:1"
    assert Options(remotes=2).spec(3) == 2
    monkeypatch.setenv("GYM_VNC_REMOTES", "")
    assert Options().spec(3) == 3
