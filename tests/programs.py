"""Programs that the tests marked `apt` and `docker` run, and the Debian packages that bring them.

`python -m tests.programs` prints the packages that are missing here, for `make apt`.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

PACKAGES = {
    "/usr/games/arithmetic": "bsdgames",
    "/usr/share/fonts/X11/misc/fonts.dir": "xfonts-base",  # Xtightvnc and xterm need "fixed"
    "Xtightvnc": "tightvncserver",
    "Xtigervnc": "tigervnc-standalone-server",
    "Xvfb": "xvfb",
    "chromium": "chromium",
    "qemu-system-x86_64": "qemu-system-x86",
    "x11vnc": "x11vnc",
    "xclip": "xclip",
    "xdotool": "xdotool",
    "xeyes": "x11-apps",
    "xterm": "xterm",
    "xtigervncviewer": "tigervnc-viewer",
    "xwininfo": "x11-utils",
}


#: For the tests marked `docker`.
ENGINE_PACKAGES = {
    "dockerd": "docker.io",
    "docker": "docker.io",
    "docker-registry": "docker-registry",
    "debootstrap": "debootstrap",
    "ip": "iproute2",
}


def missing_packages(programs: dict[str, str] = PACKAGES) -> list[str]:
    missing = (package for program, package in programs.items() if not is_here(program))
    return list(dict.fromkeys(missing))


def is_here(program: str) -> bool:
    path = Path(program)
    return path.exists() if path.is_absolute() else shutil.which(program) is not None


if __name__ == "__main__":
    sys.stdout.write(" ".join(missing_packages({**PACKAGES, **ENGINE_PACKAGES})))
