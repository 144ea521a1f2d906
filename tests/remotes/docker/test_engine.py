from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import aiodocker
import pytest

from auniverse.errors import ProvisionError
from auniverse.remotes.docker.engine import complaint, open_engine, speaking


def refused(environ: dict[str, str]) -> str:
    async def main() -> None:
        async with open_engine(environ):
            pass

    with pytest.raises(ProvisionError) as caught:
        asyncio.run(main())
    return str(caught.value)


def test_an_engine_that_does_not_run(tmp_path: Path) -> None:
    said = refused({"DOCKER_HOST": f"unix://{tmp_path}/none"})
    assert "is it running? DOCKER_HOST says where it is" in said
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        said = refused({"DOCKER_HOST": f"tcp://127.0.0.1:{free.getsockname()[1]}"})
    assert "is it running?" in said


def test_certificates_that_are_not_there(tmp_path: Path) -> None:
    said = refused(
        {
            "DOCKER_HOST": "tcp://127.0.0.1:1",
            "DOCKER_TLS_VERIFY": "1",
            "DOCKER_CERT_PATH": str(tmp_path),
        }
    )
    assert f"ca.pem, cert.pem and key.pem of {tmp_path} (DOCKER_CERT_PATH) cannot be used" in said


@pytest.mark.parametrize(
    ("message", "remedy"),
    [
        ("Cannot connect to Docker Engine via x [Permission denied]", "usermod -aG docker"),
        ("write /x: no space left on device", "docker system df"),
        ("Cannot connect to Docker Engine via x", "is it running?"),
    ],
)
def test_a_complaint_comes_with_its_remedy(message: str, remedy: str) -> None:
    assert remedy in complaint(message)
    assert complaint("something\nelse") == "something else"


def test_foreign_errors_become_ours() -> None:
    for foreign in (aiodocker.DockerError(500, "no"), OSError("gone")):
        with (
            pytest.raises(ProvisionError, match=r"cannot start x: .*(no|gone)"),
            speaking("cannot start x"),
        ):
            raise foreign
