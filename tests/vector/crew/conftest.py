"""Before a test with workers, whoever is there already is none of its own."""

import pytest

from .children import OTHERS, children


@pytest.fixture(autouse=True)
def _others():
    OTHERS.clear()
    OTHERS.update(children())
