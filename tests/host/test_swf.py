from __future__ import annotations

import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from auniverse.errors import UsageError
from auniverse.host import swf as swfs
from auniverse.host.flash_game import OURS
from auniverse.host.swf import SWF, read_swf

from .swfs import head, swf


@pytest.mark.parametrize("signature", [b"FWS", b"CWS", b"ZWS"])
def test_each_packing_is_read(signature: bytes) -> None:
    assert read_swf(swf(signature), "game") == SWF(15, 320, 240, 30.0)


@given(st.integers(1, 4096), st.integers(1, 4096), st.integers(1, 120))
def test_sizes_and_rates(width: int, height: int, fps: int) -> None:
    read = read_swf(swf(b"CWS", head(width, height, fps)), "game")
    assert (read.width, read.height, read.fps) == (width, height, fps)


def test_our_own_games() -> None:
    for path in OURS.glob("*.swf"):
        assert read_swf(path.read_bytes(), path.name) == SWF(26, 640, 480, 60.0)


@given(st.sampled_from([b"FWS", b"CWS", b"ZWS", b""]), st.binary(max_size=64))
@example(b"CWS", zlib.compress(b"\0" * 10**7))
def test_nothing_but_a_usage_error_comes_of_anything(signature: bytes, rest: bytes) -> None:
    try:
        found = read_swf(signature + rest, "game.swf")
    except UsageError as error:
        assert str(error).startswith("game.swf ")  # noqa: PT017  # or it is one that can be read
    else:
        assert 0 < found.width <= 8192


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "is no SWF"),
        (b"<!doctype html>", r"game.swf is no SWF: it begins with b'<!do', not with FWS, CWS or"),
        (swf(b"CWS")[:12], "broken SWF: it ends within its head"),
        (b"CWS\x0f" + bytes(40), "broken SWF"),
        (swf(b"FWS", head(0, 10)), "broken SWF: 0x10"),
        (swf(b"FWS", head(10, 10, 0)), "at 0 frames"),
    ],
)
def test_what_is_no_swf_says_why(data: bytes, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        read_swf(data, "game.swf")


def test_a_file_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swfs, "LARGEST", 20)
    with pytest.raises(UsageError, match="at most 20 are played"):
        read_swf(swf(), "game.swf")
