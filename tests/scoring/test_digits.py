from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from auniverse.scoring.digits import cut_glyphs, read_bitmap, to_number
from auniverse.scoring.marks import Paint, Region

from .painted import ART, BITMAPS, REGION, WHITE, picture, reader


@settings(max_examples=60, deadline=None)
@given(number=st.integers(-99999, 10**9), x=st.integers(4, 40), y=st.integers(3, 7))
def test_a_number_is_read_wherever_it_stands(number: int, x: int, y: int) -> None:
    assert reader().read(picture(str(number), x=x, y=y)) == number


@settings(max_examples=30, deadline=None)
@given(number=st.integers(0, 10**6), seed=st.integers(0, 99))
def test_soft_edges_and_noise_do_no_harm(number: int, seed: int) -> None:
    noise = np.random.default_rng(seed).integers(-15, 1, picture("0").shape)
    assert reader().read((picture(str(number)) + noise).clip(0, 255).astype(np.uint8)) == number


@settings(max_examples=60, deadline=None)
@given(
    number=st.integers(10, 10**6),
    top=st.integers(3, 12),
    height=st.integers(2, 6),
    left=st.integers(0, 20),
)
def test_half_a_number_is_none(number: int, top: int, height: int, left: int) -> None:
    """Whatever is painted over, the reading is the number, nothing, or what is left standing."""
    text = str(number)
    shown = picture(text)
    shown[top : top + height, 6 + left : 6 + left + 4] = 16
    read = reader().read(shown)
    rest = [picture(text[:keep]) for keep in range(len(text))]
    rest += [picture(text[drop:], x=6 + 6 * drop) for drop in range(len(text))]
    assert read in (None, number) or any(
        (np.abs(shown.astype(int) - other).max(axis=2) > 60).sum() < 12 for other in rest
    )


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=3, max_dims=3, max_side=40)))
def test_no_picture_is_too_strange(shown: np.ndarray) -> None:
    if shown.shape[2] == 3:
        assert reader().read(shown) is None  # the region is not inside
    whole = np.resize(shown, (20, 130, 3))
    read = reader().read(whole)
    assert read is None or np.isfinite(read)


def test_what_is_no_number() -> None:
    dark = np.zeros((20, 130, 3), np.uint8)
    assert reader().read(dark) is None
    assert reader().read(np.full_like(dark, 255)) is None
    assert reader().read(picture("12")[:10]) is None
    assert reader().read(picture("1-2")) is None
    apart = picture("1") | picture("2", x=70)
    assert reader().read(apart) is None  # two numbers
    assert reader(spacing=100).read(apart) == 12
    scratched = picture("12")
    scratched[4:12, 60:64] = 255
    assert reader().read(scratched) is None
    assert [to_number(text) for text in ("", "-", "1.2.3", "--1", "1" * 17, "1-")] == [None] * 6
    assert (to_number("1,234.5"), to_number("-7")) == (1234.5, -7)


def test_what_has_not_changed_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    digits = reader()
    assert digits.read(picture("42")) == 42
    monkeypatch.setattr(digits, "_read_mask", lambda mask: pytest.fail("read again"))
    other = picture("42")
    other[0] = 255  # outside the region
    assert digits.read(other) == 42


def test_what_cannot_be_compared_is_refused() -> None:
    from auniverse.scoring.digits import Digits

    with pytest.raises(ValueError, match="no template for 1, 2"):
        Digits(REGION, WHITE, {d: BITMAPS[d] for d in "03456789"})
    with pytest.raises(ValueError, match="no lit pixel"):
        Digits(REGION, WHITE, {**BITMAPS, "0": read_bitmap("..")})
    with pytest.raises(ValueError, match="too large"):
        Digits(Region(0, 0, 4096, 4096), WHITE, BITMAPS)
    for text in ("", "#x", "##\n#"):
        with pytest.raises(ValueError, match="equally long"):
            read_bitmap(text)


def test_templates_are_cut_from_a_picture() -> None:
    glyphs = cut_glyphs(picture("0123456789"), REGION, WHITE, "0123456789")
    assert glyphs["8"] == ART["8"]
    assert glyphs["1"].splitlines()[0] == ".#."  # without its dark columns
    with pytest.raises(ValueError, match="2 shapes for the 3 symbols"):
        cut_glyphs(picture("12"), REGION, WHITE, "123")
    with pytest.raises(ValueError, match="0 shapes"):
        cut_glyphs(picture("12"), REGION, Paint(9, 200, 9, 5), "12")
    with pytest.raises(ValueError, match="inside"):
        cut_glyphs(picture("12"), Region(0, 0, 999, 9), WHITE, "12")
