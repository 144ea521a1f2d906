import os

from auniverse.rfb.native import available, libraries


def test_ci_has_compiled_it() -> None:
    """Elsewhere the tests of the compiled decoder are skipped without it; here that must show."""
    assert available() or not os.environ.get("CI")


def test_what_it_is_linked_with_is_said() -> None:
    assert set(libraries()) == ({"jpeg"} if available() else set())
