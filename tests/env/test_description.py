from __future__ import annotations

import pytest

from auniverse.env.description import describe
from auniverse.rewarder import V1
from auniverse.runtimes import env
from auniverse.spaces import Controls
from tests.fakes import FakePool

V1_BLOCK = V1(0, False, 600, 400, (("a",),), "tap", ("a",), True, True)


def nobody() -> FakePool:
    pytest.fail("asked")


def test_the_catalogue_is_enough() -> None:
    found = env("gym-core.Pong-v5")
    controls, text, fps = describe(found, (640, 480), nobody)  # type: ignore[arg-type]
    assert controls == Controls(found.actions, found.press, found.keys, found.pointer, 640, 480)
    assert (text, fps) == (found.text, found.fps)


def test_a_native_screen_is_the_remotes() -> None:
    pool = FakePool("", v1=V1_BLOCK)
    controls, _, _ = describe(env("gym-core.Pong-v5"), None, lambda: pool)  # type: ignore[arg-type,return-value]
    assert (controls.width, controls.height) == (3, 2)
    assert controls.actions == env("gym-core.Pong-v5").actions


@pytest.mark.parametrize("env_id", [None, "gym-core.Unheard-v0"])
def test_the_remote_says_what_the_catalogue_does_not(env_id: str | None) -> None:
    found = None if env_id is None else env(env_id)
    pool = FakePool("", v1=V1_BLOCK)
    controls, text, fps = describe(found, (640, 480), lambda: pool)  # type: ignore[arg-type,return-value]
    assert controls == Controls((("a",),), "tap", ("a",), True, 3, 2)
    assert (text, fps) == (True, 60.0)


def test_a_remote_of_protocol_0_can_be_sent_anything() -> None:
    controls, text, _ = describe(None, None, lambda: FakePool(""))  # type: ignore[arg-type,return-value]
    assert controls == Controls(width=3, height=2, pointer=True)
    assert text is False
