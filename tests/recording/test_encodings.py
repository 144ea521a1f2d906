from __future__ import annotations

import pytest

from auniverse.errors import UsageError
from auniverse.recording import is_lossless, parse_encodings
from auniverse.rfb import LINKS


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("tight", (7,)),
        ("ZRLE, copyrect,copy_rect,copy-rect", (16, 1)),
        ("quality=0,quality=9,compress=0,compress=9", (-32, -23, -256, -247)),
        ("-239,1096109638", (-239, 1096109638)),
        ("local", LINKS["local"]),
        ("hextile,wan", (5, *LINKS["wan"])),
    ],
)
def test_names_and_numbers(text, numbers):
    assert parse_encodings(text) == numbers


@pytest.mark.parametrize(
    "text", ["", ",", "tigth", "quality", "quality=10", "compress=-1", "4294967296", "1.5"]
)
def test_what_is_no_encoding(text):
    with pytest.raises(UsageError):
        parse_encodings(text)


def test_a_wrong_name_is_answered_with_the_right_ones():
    with pytest.raises(UsageError, match=r"'tigth'.*tight.*quality=0\.\.9.*lan"):
        parse_encodings("tigth")


def test_what_may_lose_pixels():
    assert is_lossless(LINKS["local"])
    assert is_lossless(LINKS["lan"])
    assert not is_lossless(parse_encodings("tight,quality=9"))
    assert not is_lossless((7, -768))
