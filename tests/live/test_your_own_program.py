"""The tutorial docs/your-own-program.md does what it says."""

from __future__ import annotations

import functools
import http.server
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "your-own-program.md").read_text()


def block(language: str, number: int = 0) -> str:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[number]


def printed_by(program: str, folder: Path, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.apt
def test_the_program_in_twenty_lines(tmp_path: Path) -> None:
    settings = block("yaml")
    assert len(settings.splitlines()) <= 20
    (tmp_path / "mine.yml").write_text(settings)
    told = printed_by(block("python"), tmp_path, AUNIVERSE_RUNTIMES="mine.yml")
    assert told == "1.0\n"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.mark.apt
@pytest.mark.xdist_group("browser")
def test_the_page_of_the_web(tmp_path: Path) -> None:
    (tmp_path / "dot.html").write_text(block("html"))
    handler = functools.partial(Quiet, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            program = block("python", 1).replace(":8000/", f":{server.server_port}/")
            assert printed_by(program, tmp_path) == "3.0\n"
        finally:
            server.shutdown()
            thread.join()
