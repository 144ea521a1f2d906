from __future__ import annotations

import pytest

from auniverse.errors import UsageError
from auniverse.rfb.connection import Connection
from auniverse.rfb.decoders import Decoder
from auniverse.rfb.offers import DEFAULT_ENCODINGS, LEVELS, LINKS, checked, compress_level, level
from auniverse.rfb.types import Encoding

SLOW = {Encoding.HEXTILE, Encoding.TRLE, Encoding.RRE, Encoding.CORRE}
DRAWN_BY_US = {Encoding.CURSOR, Encoding.X_CURSOR, Encoding.ALPHA_CURSOR}
OURS = (Encoding.FRAME,)


class WithoutJPEG(Decoder):
    jpeg = False


@pytest.mark.parametrize("link", LINKS)
def test_every_link_offers_what_can_be_decoded_fast(link: str) -> None:
    offered = {*LINKS[link]}
    assert {Encoding.RAW, Encoding.COPY_RECT, Encoding.DESKTOP_SIZE, Encoding.FRAME} <= offered
    assert {Encoding.EXTENDED_DESKTOP_SIZE, Encoding.FENCE} <= offered
    assert not offered & (SLOW | DRAWN_BY_US)
    assert not offered & {Encoding.EXTENDED_CLIPBOARD, Encoding.EXTENDED_KEYS, Encoding.AUDIO}
    assert checked(LINKS[link], Decoder) == LINKS[link]
    Connection(encodings=LINKS[link])


def test_on_one_host_nothing_is_compressed_and_every_update_is_asked_for() -> None:
    assert LINKS["local"] == DEFAULT_ENCODINGS
    compressed = {Encoding.ZLIB, Encoding.TIGHT, Encoding.ZRLE}
    assert not compressed & {*DEFAULT_ENCODINGS}
    assert Encoding.CONTINUOUS_UPDATES not in DEFAULT_ENCODINGS
    assert Encoding.ZRLE not in LINKS["lan"]


def test_an_encoding_that_the_decoder_lacks() -> None:
    with pytest.raises(UsageError, match=r"lacks: \[3, -33\]"):
        checked((Encoding.RAW, 3, -33), Decoder)


def test_frame_is_always_offered_and_nothing_twice() -> None:
    assert checked((0, 7, 0), Decoder) == (0, 7, *OURS)
    assert checked((7, Encoding.FRAME, 0), Decoder) == (7, Encoding.FRAME, 0)


def test_jpeg_is_asked_for_only_where_it_can_be_decoded() -> None:
    levels = [level("quality_level", 5), level("fine_quality_level", 50)]
    wanted = [Encoding.TIGHT, *levels, level("subsample_level", 2), compress_level(1)]
    assert checked(wanted, Decoder) == (*wanted, *OURS)
    assert checked(wanted, WithoutJPEG) == (Encoding.TIGHT, compress_level(1), *OURS)


@pytest.mark.parametrize(
    ("name", "lowest", "highest"),
    [
        ("compress_level", -256, -247),
        ("quality_level", -32, -23),
        ("fine_quality_level", -512, -412),
        ("subsample_level", -768, -765),
    ],
)
def test_levels(name: str, lowest: int, highest: int) -> None:
    most = LEVELS[name][1]
    assert (level(name, 0), level(name, most)) == (lowest, highest)
    for wrong in (-1, most + 1, True, 1.0, "1"):
        with pytest.raises(UsageError, match=f"{name}=.*a whole number from 0 to {most}"):
            level(name, wrong)  # type: ignore[arg-type]
