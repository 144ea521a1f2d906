from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.certificates import Authority

from .command import CARTPOLE, COMMAND, auniverse

PORTS = ("--vnc-port", "0", "--rewarder-port", "0", "--screen", "160x120")
PLAY = ("run", CARTPOLE, "--steps", "5", "--lockstep", "--json", "--remotes")


@contextmanager
def serving(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [*COMMAND, "serve", "gym-core", "--env-id", CARTPOLE, *PORTS, *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_random_password_is_shown_once_on_stderr() -> None:
    with serving() as process:
        assert process.stdout is not None
        assert process.stderr is not None
        address = process.stderr.readline().strip()
        assert re.fullmatch(r"vnc://127\.0\.0\.1:\d+\+\d+\?password=[\w-]{8}", address)
        assert auniverse(*PLAY, address).returncode == 0
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
        assert process.stdout.read() == ""


def test_a_given_password_is_never_shown() -> None:
    with serving("--password", "sesame") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        address = process.stdout.readline().strip()
        assert re.fullmatch(r"vnc://127\.0\.0\.1:\d+\+\d+", address)
        assert auniverse(*PLAY, f"{address}?password=sesame").returncode == 0
        refused = auniverse(*PLAY, f"{address}?password=wrong")
        assert refused.returncode == 4
        assert refused.stderr.startswith("auniverse: vnc://127.0.0.1")
        assert refused.stdout == ""
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0
        assert "sesame" not in process.stdout.read() + process.stderr.read()


def test_a_lease_ends_it() -> None:
    with serving("--lease", "0.2") as process:
        assert process.wait() == 0


def test_a_taken_port_is_this_machines_fault() -> None:
    with serving("--password", "sesame") as process:
        assert process.stdout is not None
        port = re.findall(r":(\d+)\+", process.stdout.readline())[0]
        run = auniverse("serve", "gym-core", "--vnc-port", port, "--rewarder-port", "0")
    assert run.returncode == 3
    assert port in run.stderr


def test_an_unknown_runtime_is_the_callers_fault() -> None:
    run = auniverse("serve", "mario")
    assert run.returncode == 2
    assert "gym-core" in run.stderr


def test_with_a_certificate_the_shown_address_is_all_one_needs(tmp_path: Path) -> None:
    shown = Authority(tmp_path).sign()
    with serving("--tls-cert", str(shown.cert), "--tls-key", str(shown.key)) as process:
        assert process.stderr is not None
        address = process.stderr.readline().strip()
        assert f"?pin={shown.pin}&password=" in address
        assert auniverse(*PLAY, address).returncode == 0
        doubted = address.replace(f"pin={shown.pin}", "security=x509vnc")
        refused = auniverse(*PLAY, doubted)
        assert refused.returncode == 4
        assert "not to be trusted" in refused.stderr


def test_a_certificate_has_a_key() -> None:
    run = auniverse("serve", "gym-core", "--tls-cert", "here.pem")
    assert run.returncode == 2
    assert "--tls-key" in run.stderr
