"""The compiled decoders, where their sources are present and a compiler is.

Everything else is said in pyproject.toml. The extension is optional: without a compiler the
installation goes on, and the numpy decoders do the work.
"""

from pathlib import Path

from setuptools import Extension, setup

SOURCES = sorted(map(str, Path("auniverse/rfb/native").glob("*.c")))

setup(
    ext_modules=[Extension("auniverse.rfb.native._decoders", SOURCES, optional=True)]
    if SOURCES
    else []
)
