"""Encodings to send, one a file, and the table of them in the order of our preference.

Raw first: on one machine, compressing costs the host more than it saves.
"""

from __future__ import annotations

from collections.abc import Mapping

from .encoder import Encoder
from .raw import Raw
from .zlib import Zlib
from .zrle import ZRLE

ENCODERS: Mapping[int, type[Encoder]] = {kind.encoding: kind for kind in (Raw, Zlib, ZRLE)}

__all__ = ["ENCODERS", "ZRLE", "Encoder", "Raw", "Zlib"]
