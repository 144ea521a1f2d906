from __future__ import annotations

import pytest

from .command import auniverse


@pytest.mark.docker
@pytest.mark.xdist_group("docker")
def test_what_cannot_be_pulled_can_be_built() -> None:
    pulled = auniverse("pull", "gym-core", "--json")
    if pulled.returncode:  # nobody can be asked, or nobody has it
        assert pulled.returncode == 3
        assert "cannot pull auniverse/gym-core:1 (`auniverse build gym-core` builds it)" in (
            pulled.stderr
        )
