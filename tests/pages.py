"""The commands of our pages, for the tests that run them as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"


def commands(page: str) -> list[str]:
    """Return the lines of a page that a shell is to run, without their comments."""
    blocks = re.findall(r"```sh\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)
    lines = [line.partition("  #")[0].strip() for line in "".join(blocks).splitlines()]
    return [line for line in lines if line]


def command(page: str, *words: str) -> str:
    """Return the first line of a page that has all of some words."""
    return next(
        line for line in commands(page) if all(f" {word} " in f" {line} " for word in words)
    )
