"""Programs that the tests marked `apt` run, and the Debian packages that bring them.

`python -m tests.programs` prints the packages that are missing here, for `make apt`.
"""

from __future__ import annotations

import shutil
import sys

PACKAGES = {
    "Xtightvnc": "tightvncserver",
    "Xtigervnc": "tigervnc-standalone-server",
    "Xvfb": "xvfb",
    "chromium": "chromium",
    "x11vnc": "x11vnc",
    "xdotool": "xdotool",
    "xeyes": "x11-apps",
    "xterm": "xterm",
    "xtigervncviewer": "tigervnc-viewer",
    "xwininfo": "x11-utils",
}


def missing_packages() -> list[str]:
    return [package for program, package in PACKAGES.items() if shutil.which(program) is None]


if __name__ == "__main__":
    sys.stdout.write(" ".join(missing_packages()))
