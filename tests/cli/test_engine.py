from __future__ import annotations

import pytest

from auniverse.cli.engine import ask_engine
from auniverse.errors import ProvisionError
from auniverse.remotes import docker


async def version(engine: docker.Engine) -> str:
    return str((await engine.docker.version())["ApiVersion"])


def test_without_an_engine_nobody_is_asked() -> None:
    with pytest.raises(ProvisionError, match=r"is it running\?"):
        ask_engine(version)


@pytest.mark.docker
@pytest.mark.xdist_group("docker")
def test_an_answer_comes_back() -> None:
    assert ask_engine(version).startswith("1.")
