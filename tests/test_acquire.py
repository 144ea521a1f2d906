from __future__ import annotations

from typing import Any

import pytest

from auniverse.acquire import (
    catalogued,
    check_fps,
    count_remotes,
    default_spec,
    encodings_from,
    open_pool,
    remotes_for,
    session_options,
    starts_remotes,
)
from auniverse.address import Remote
from auniverse.errors import AddressError, UnknownEnvError, UsageError
from auniverse.portal import Portal
from auniverse.rfb import Encoding, compress_level

REMOTE = Remote("a", 1, 2)


@pytest.mark.parametrize(
    ("spec", "count", "starts"),
    [
        (4, 4, True),
        ("4", 4, True),
        ("process:12", 12, True),
        ("vnc://a:1+2", 1, False),
        ("VNC://a:1+2,b:3+4,vnc://c:5+6", 3, False),
        ([REMOTE], 1, False),
        ((REMOTE, REMOTE), 2, False),
    ],
)
def test_specifications(spec: Any, count: int, starts: bool) -> None:
    assert count_remotes(spec) == count
    assert starts_remotes(spec) is starts


@pytest.mark.parametrize("spec", ["", "many", "a:1+2?password=secret", "--1", True])
def test_what_says_nothing_about_remotes_is_refused(spec: Any) -> None:
    with pytest.raises(UsageError, match="remotes= is") as refused:
        count_remotes(spec)
    assert "secret" not in str(refused.value)


def test_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GYM_VNC_REMOTES", raising=False)
    assert default_spec(3) == 3
    monkeypatch.setenv("GYM_VNC_REMOTES", "vnc://a:1")
    assert default_spec(3) == "vnc://a:1"


def test_an_address_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(AddressError):
        count_remotes("vnc://a:b")


def test_what_is_started_must_be_known() -> None:
    assert catalogued("gym-core.Pong-v5", 1).fps == 60  # type: ignore[union-attr]
    assert catalogued("gym-core.Pong-v5", [REMOTE]).fps == 60  # type: ignore[union-attr]
    assert catalogued("other.Game-v0", "vnc://a:1+2") is None
    assert catalogued(None, "vnc://a:1+2") is None
    with pytest.raises(UnknownEnvError):
        catalogued("other.Game-v0", "2")
    with pytest.raises(UsageError, match="which env_id"):
        catalogued(None, 1)


@pytest.mark.parametrize("fps", [None, "default", 1, 0.5, float("inf")])
def test_rates(fps: Any) -> None:
    check_fps(fps)


@pytest.mark.parametrize("fps", [0, -1, float("nan"), "30", "fast", [30]])
def test_what_is_no_rate_is_refused(fps: Any) -> None:
    with pytest.raises(UsageError, match="fps="):
        check_fps(fps)


ALWAYS = [Encoding.COPY_RECT, Encoding.RAW, Encoding.DESKTOP_SIZE, Encoding.FENCE, Encoding.FRAME]


@pytest.mark.parametrize(
    ("vnc_kwargs", "encodings"),
    [
        ({"encoding": "tight"}, [Encoding.TIGHT, *ALWAYS]),
        (
            {"encoding": "zrle", "compress_level": 3, "fine_quality_level": 50},
            [Encoding.ZRLE, *ALWAYS, compress_level(3), -462],
        ),
        (
            {"encoding": "raw", "quality_level": None},
            [Encoding.RAW, *(encoding for encoding in ALWAYS if encoding != Encoding.RAW)],
        ),
        ({"compress_level": 0}, [Encoding.TIGHT, *ALWAYS, compress_level(0)]),
        ({"quality_level": 8, "subsample_level": 2}, [Encoding.TIGHT, *ALWAYS, -24, -766]),
        ({"quality_level": -1, "compress_level": -1}, [Encoding.TIGHT, *ALWAYS]),
        ({"encoding": "hextile", "start_timeout": 3}, [Encoding.HEXTILE, *ALWAYS]),
    ],
)
def test_universes_encodings(vnc_kwargs: dict[str, Any], encodings: list[int]) -> None:
    assert encodings_from(vnc_kwargs) == encodings


@pytest.mark.parametrize(
    ("vnc_kwargs", "complaint"),
    [
        ({"encoding": "h264"}, "'h264' is none of raw, tight"),
        ({"subscription": [(0, 1, 0, 1)]}, "subscription not supported"),
        ({"compress_level": 10}, "compress_level=10: a whole number from 0 to 9"),
        ({"fine_quality_level": 101}, "fine_quality_level=101: .* to 100"),
        ({"subsample_level": "4"}, "subsample_level='4'"),
    ],
)
def test_what_cannot_be_had_is_said(vnc_kwargs: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        encodings_from(vnc_kwargs)


def test_options_of_sessions() -> None:
    assert session_options() == {}
    assert session_options(start_timeout=3.0, vnc_kwargs={"encoding": "tight"}) == {
        "timeout": 3.0,
        "encodings": [Encoding.TIGHT, *ALWAYS],
    }


def test_a_pool_comes_with_its_remotes() -> None:
    portal = Portal()
    opened = portal.open(
        open_pool(
            "process:2",
            env_id="gym-core.CartPole-v1",
            screen="96x64",
            start_timeout=30.0,
            vnc_kwargs={"encoding": "zrle"},
            lockstep=True,
        )
    )
    pool = opened.wait()
    assert (pool.num_envs, pool.observation_shape) == (2, (64, 96, 3))
    observations, _ = portal.call(pool.reset(0))
    assert observations.any()
    opened.close()
    portal.close()


def test_running_remotes_are_taken_as_they_are() -> None:
    portal = Portal()
    assert portal.open(remotes_for("other.Game-v0", [REMOTE], screen="native")).wait() == [REMOTE]
    portal.close()
