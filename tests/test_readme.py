"""Every line of the README, and of pages that say so, that can be run is run."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from auniverse.address import parse_remotes
from auniverse.vector import INFO_KEYS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
#: Run by CI itself, and by whoever reads the figures.
BY_HAND = {"make demo", "make test"}


#: Pages whose blocks of Python are run, too.
PAGES = ("cluster.md", "observations.md")


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def commands() -> list[str]:
    lines = "".join(blocks("sh")).splitlines()
    return [line.split("#")[0].strip() for line in lines if line.strip()]


def run(command: list[str] | str, folder: Path) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        shell=isinstance(command, str),
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("code", blocks("python"))
def test_examples_run(code: str, tmp_path: Path) -> None:
    run([sys.executable, "-W", "error", "-c", code], tmp_path)


@pytest.mark.parametrize(
    ("page", "number"),
    [
        (page, number)
        for page in PAGES
        for number in range(len(blocks("python", (ROOT / "docs" / page).read_text())))
    ],
)
def test_examples_of_pages_run(page: str, number: int, tmp_path: Path) -> None:
    code = blocks("python", (ROOT / "docs" / page).read_text())[number]
    file = tmp_path / "example.py"  # a file: processes that it starts import it
    file.write_text(code)
    assert run([sys.executable, "-W", "error", str(file)], tmp_path)


def here(command: str) -> str:
    """Return the command for the virtual environment of these tests, on free ports."""
    program = Path(sys.executable).with_name("auniverse")
    command = command.replace(".venv/bin/auniverse", str(program))
    return command.replace("15900", "25917").replace("5900", "25907")


def test_commands_run(tmp_path: Path) -> None:
    assert set(commands()) >= BY_HAND
    served: list[subprocess.Popen[bytes]] = []
    try:
        for command in commands():
            if command in BY_HAND:
                assert f"\n{command.removeprefix('make ')}:" in (ROOT / "Makefile").read_text()
            elif command.endswith("&"):
                served.append(
                    subprocess.Popen(
                        "exec " + here(command.rstrip("& ")),
                        shell=True,
                        stderr=subprocess.DEVNULL,
                        stdout=subprocess.DEVNULL,
                    )
                )
            else:
                assert run(here(command), tmp_path)
    finally:
        for server in served:
            server.send_signal(signal.SIGINT)
            assert server.wait(20) in (0, 130), "serve ends cleanly on Ctrl-C"


def addresses() -> list[str]:
    texts = README + (ROOT / "docs" / "vnc.md").read_text()
    found = re.findall(r"^vnc[a-z+]*://\S+(?: hex>| letters>)?", texts, re.MULTILINE)
    return [one.replace("<64 hex>", "0" * 64).replace("<43 letters>", "A" * 43) for one in found]


@pytest.mark.parametrize("address", addresses())
def test_addresses_can_be_read(address: str) -> None:
    (remote,) = parse_remotes(address)
    assert str(remote).startswith(address.partition("://")[0])
    assert parse_remotes(str(remote))[0].route.query() == remote.route.query()


def test_there_is_an_address_for_every_way() -> None:
    schemes = {address.partition("://")[0] for address in addresses()}
    assert schemes == {"vnc", "vnc+tls", "vnc+ws", "vnc+wss", "vnc+ssh"}


def test_every_info_key_is_in_the_table() -> None:
    table = README[README.index("## Info keys") :]
    assert all(f"`{key}`" in table for key in INFO_KEYS)


def test_pictures_and_rooms_exist() -> None:
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", README):
        assert (ROOT / picture).stat().st_size > 10_000
    rooms = {path.stem for path in (ROOT / "auniverse").iterdir() if not path.stem.startswith("_")}
    table = README[README.index("| room |") : README.index("## Info keys")]
    named = set(re.findall(r"`([a-z]+)`", table))
    assert named <= rooms
