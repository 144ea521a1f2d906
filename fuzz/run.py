"""One target under atheris: `python -m fuzz.run TARGET [libFuzzer's options and folders]`."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["auniverse"]):
    from fuzz.targets import TARGETS


def main() -> None:
    """Hand over to libFuzzer, which never comes back."""
    target = TARGETS[sys.argv[1]]
    atheris.Setup([sys.argv[0], *sys.argv[2:]], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
