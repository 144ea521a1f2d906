"""`python -m auniverse` is the command `auniverse`."""

from __future__ import annotations

from auniverse.cli import main

main()
