"""What a client may offer a server (SetEncodings): encodings, levels, and whole offers by link."""

from __future__ import annotations

from collections.abc import Sequence

from auniverse.errors import UsageError

from .decoders import Decoder
from .types import Encoding

#: Levels that are said as pseudo-encodings: the one for level 0, and the highest level. By the
#: names of Universe's `vnc_kwargs`, which are TigerVNC's and TurboVNC's words too.
LEVELS: dict[str, tuple[int, int]] = {
    "compress_level": (-256, 9),  # of zlib: 0 is fastest, 9 smallest
    "quality_level": (-32, 9),  # of JPEG: 9 is best
    "fine_quality_level": (-512, 100),  # of JPEG: 100 is best
    "subsample_level": (-768, 3),  # of JPEG's colours: 0 is best, 3 is grey
}

#: What allows a server to lose something: without one of these it sends no JPEG.
_LOSSY = {
    first + level
    for name, (first, highest) in LEVELS.items()
    if name != "compress_level"
    for level in range(highest + 1)
}

#: Pseudo-encodings that allow messages, not rectangles.
_MESSAGES = {Encoding.FENCE, Encoding.CONTINUOUS_UPDATES, Encoding.EXTENDED_CLIPBOARD}


def level(name: str, value: int) -> int:
    """Return the pseudo-encoding that asks for a level; the names are those of `LEVELS`.

    Raises:
        UsageError: There is no such level.
    """
    first, highest = LEVELS[name]
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= highest:
        raise UsageError(f"{name}={value!r}: a whole number from 0 to {highest}")
    return first + value


def compress_level(value: int) -> int:
    """Return the pseudo-encoding that asks for a zlib level of 0 (fastest) to 9 (smallest).

    Raises:
        UsageError: There is no such level.
    """
    return level("compress_level", value)


_ALWAYS = (
    *(Encoding.DESKTOP_SIZE, Encoding.EXTENDED_DESKTOP_SIZE, Encoding.DESKTOP_NAME),
    *(Encoding.FENCE, Encoding.FRAME),
)

#: What to offer a server, by how far away it is. Compressing costs more than it saves on one
#: host. LastRect makes servers hunt for solid areas, which helps compressed encodings only. JPEG
#: is for where bytes count. Left out are: ZRLE on a LAN, Hextile, TRLE and RRE anywhere, which
#: cost numpy 3 to 200 times what Tight and Zlib do; Cursor and its like, which would keep the
#: pointer out of the picture; extended keys, which put the place of a key before its meaning.
LINKS: dict[str, tuple[int, ...]] = {
    "local": (Encoding.RAW, Encoding.COPY_RECT, *_ALWAYS),
    "lan": (
        *(Encoding.TIGHT, Encoding.ZLIB, Encoding.COPY_RECT, Encoding.RAW, Encoding.LAST_RECT),
        *(*_ALWAYS, Encoding.CONTINUOUS_UPDATES, compress_level(1)),
    ),
    "wan": (
        *(Encoding.TIGHT, Encoding.ZRLE, Encoding.ZLIB, Encoding.COPY_RECT, Encoding.RAW),
        *(Encoding.LAST_RECT, *_ALWAYS, Encoding.CONTINUOUS_UPDATES),
        *(compress_level(6), level("quality_level", 8)),
    ),
}

DEFAULT_ENCODINGS = LINKS["local"]


def checked(encodings: Sequence[int], decoder: type[Decoder]) -> tuple[int, ...]:
    """Return what to send a server of what is to be offered; FRAME is always added.

    Levels of JPEG are left out where it cannot be decoded.

    Raises:
        UsageError: The decoder lacks one of the encodings.
    """
    lossless = {*decoder.encodings, *_MESSAGES, *map(compress_level, range(10))}
    unknown = [int(one) for one in encodings if one not in lossless | _LOSSY]
    if unknown:
        raise UsageError(f"encodings that the decoder lacks: {unknown}")
    offered = [one for one in encodings if decoder.jpeg or one not in _LOSSY]
    return tuple(dict.fromkeys((*offered, Encoding.FRAME)))
