from __future__ import annotations

import pytest

from auniverse.cli.ps import print_kept
from auniverse.remotes.docker import Kept

KEPT = Kept(
    name="auniverse-gym-core-0-00",
    runtime="gym-core",
    client_id="me",
    slot="0",
    state="running",
    status="Up 2 seconds",
    image="auniverse/gym-core:1",
    lease="600",
    in_use=True,
    address="vnc://h:1+2",
    url="vnc://h:1+2?vnc_password=secret",
)


def test_the_table_shows_no_password(capsys: pytest.CaptureFixture[str]) -> None:
    print_kept([KEPT])
    shown = capsys.readouterr().out
    assert "vnc://h:1+2" in shown
    assert "yes" in shown
    assert "secret" not in shown
