"""Rectangles into pixels: one encoding, one file, two verbs (`measure`, `decode`)."""

from __future__ import annotations

from .decoder import DECODERS, PSEUDO, Decoder, Fed

__all__ = ["DECODERS", "PSEUDO", "Decoder", "Fed"]
