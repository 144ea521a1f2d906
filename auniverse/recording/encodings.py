"""Which encodings to ask a server for, as people write them."""

from __future__ import annotations

from collections.abc import Iterable

from auniverse.errors import UsageError
from auniverse.rfb import LINKS, Encoding, compress_level

#: Pseudo-encodings with a level: the name before the "=", the level of the number 0, the levels.
#: JPEG quality is Tight's own, from 0 (worst) to 9.
_LEVELS: dict[str, tuple[int, range]] = {
    "compress": (compress_level(0), range(10)),
    "quality": (-32, range(10)),
}

#: Numbers whose pictures may differ from the server's: JPEG (21), JPEG's quality, TurboVNC's
#: subsampling and fine quality, ZYWRLE (17), H.264 (50).
_LOSSY = {17, 21, 50, *range(-32, -22), *range(-768, -762), *range(-512, -411)}


def parse_encodings(text: str) -> tuple[int, ...]:
    """Read names and numbers separated by commas: `tight,copyrect,quality=8,-239`.

    A name is one of `Encoding`, without its underscores; `local`, `lan` and `wan` stand for what
    the link of that name offers.

    Raises:
        UsageError: There is no such name.
    """
    found: list[int] = []
    for word in filter(None, (part.strip().lower() for part in text.split(","))):
        found += LINKS[word] if word in LINKS else [_number(word)]
    if not found:
        raise UsageError("no encodings are named")
    return tuple(dict.fromkeys(found))


def is_lossless(encodings: Iterable[int]) -> bool:
    """Tell whether a server that was offered these must send every pixel as it is."""
    return _LOSSY.isdisjoint(encodings)


def _number(word: str) -> int:
    names = {name.replace("_", "").lower(): value for name, value in Encoding.__members__.items()}
    plain = word.replace("_", "").replace("-", "")
    if plain in names:
        return int(names[plain])
    name, _, level = word.partition("=")
    if name in _LEVELS and level.isdecimal() and int(level) in _LEVELS[name][1]:
        return _LEVELS[name][0] + int(level)
    try:
        number = int(word)
    except ValueError:
        number = 1 << 31
    if not -(1 << 31) <= number < 1 << 31:
        known = ", ".join((*names, *(f"{name}=0..9" for name in _LEVELS), *LINKS))
        raise UsageError(f"no encoding is called {word!r}; there are {known}")
    return number
