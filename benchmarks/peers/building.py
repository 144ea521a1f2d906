"""Compile the peers in C, and say which Debian packages they need.

python benchmarks/peers/building.py     prints the packages that are missing, for `make bench`
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
BUILT = HERE.parent.parent / "build" / "benchmarks"
FLAGS = ("-O2", "-Wall", "-Wextra", "-Werror")


class Library(NamedTuple):
    """What is included, how it is linked, and the Debian package that brings both."""

    header: str
    link: str
    package: str | None


LIBRARIES = {
    "libvncclient": Library("rfb/rfbclient.h", "-lvncclient", "libvncserver-dev"),
    "libjpeg": Library("jpeglib.h", "-ljpeg", "libjpeg62-turbo-dev"),
    "zlib": Library("zlib.h", "-lz", "zlib1g-dev"),
    "isa-l": Library("isa-l/igzip_lib.h", "-lisal", "libisal-dev"),
    "zlib-ng": Library("zlib-ng.h", "-lz-ng", None),  # not in every release of Debian
    "libX11": Library("X11/Xlib.h", "-lX11", "libx11-dev"),
}
PROGRAMS = {
    "cc": "gcc",
    "Xtigervnc": "tigervnc-standalone-server",
    "chromium": "chromium",
    "chromedriver": "chromium-driver",
}


class MissingError(Exception):
    """Something from Debian is not here; the text says how to get it."""


def present(name: str) -> bool:
    """Whether a library can be compiled against and linked."""
    if shutil.which("cc") is None:
        return False
    header, link, _ = LIBRARIES[name]
    program = f"#include <stdio.h>\n#include <{header}>\nint main(void) {{ return 0; }}\n"
    command = ["cc", "-x", "c", "-", "-o", "/dev/null", link]
    return subprocess.run(command, input=program.encode(), capture_output=True).returncode == 0


def build(source: str, *libraries: str, define: str | None = None, shared: bool = False) -> Path:
    """Compile one of the C files here, unless that is done; return the program or shared library.

    Raises:
        MissingError: There is no compiler or no such library.
    """
    program = BUILT / "-".join((Path(source).stem, *([define] if define else []))).lower()
    newest = max(path.stat().st_mtime for path in (HERE / source, *HERE.glob("*.h")))
    if program.exists() and program.stat().st_mtime > newest:
        return program
    require("cc")
    missing = [name for name in libraries if not present(name)]
    if missing:
        packages = [LIBRARIES[name].package or name for name in missing]
        raise MissingError(f"{source} needs, as root: apt-get install {' '.join(packages)}")
    BUILT.mkdir(parents=True, exist_ok=True)
    defines = [f"-D{define}"] if define else []
    links = [LIBRARIES[name].link for name in libraries]
    flags = [*FLAGS, *(["-shared", "-fPIC"] if shared else [])]
    command = ["cc", *flags, *defines, "-o", str(program), str(HERE / source), *links]
    subprocess.run(command, check=True)
    return program


def require(program: str) -> None:
    """Raise MissingError if a program is not here."""
    if shutil.which(program) is None:
        raise MissingError(f"no {program} here; as root: apt-get install {PROGRAMS[program]}")


def missing_packages() -> list[str]:
    """Return the Debian packages that the benchmarks would like to have."""
    programs = [package for name, package in PROGRAMS.items() if shutil.which(name) is None]
    libraries = [
        library.package
        for name, library in LIBRARIES.items()
        if library.package and not present(name)
    ]
    return programs + libraries


if __name__ == "__main__":
    sys.stdout.write(" ".join(missing_packages()))
