"""`auniverse cluster down`: gone, after it was asked for."""

import pytest

from ...aws import KEY
from .runner import answer, cluster


@pytest.mark.xdist_group("aws")
@pytest.mark.usefixtures("aws")
def test_down() -> None:
    answer("up", "-s", "demo", "--key", KEY, "--workers", "1")
    refused = cluster("down", "-s", "demo")
    assert refused.exit_code == 2, "nobody is at a terminal to be asked"
    assert "nothing was deleted" in refused.stderr
    assert answer("status", "-s", "demo")["status"] == "CREATE_COMPLETE"
    assert answer("down", "-s", "demo", "--yes") == {"deleted": ["demo"]}
    gone = cluster("down", "-s", "demo", "--yes")
    assert gone.exit_code == 2
    assert "no stack 'demo'" in gone.stderr
