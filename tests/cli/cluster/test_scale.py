"""`auniverse cluster scale`: workers and time."""

import pytest

from ...aws import KEY
from .runner import answer, cluster


@pytest.mark.xdist_group("aws")
@pytest.mark.usefixtures("aws")
def test_more_workers_and_more_time() -> None:
    answer("up", "-s", "demo", "--key", KEY, "--workers", "1")
    found = answer("scale", "-s", "demo", "--workers", "3", "--ttl", "5")
    assert (found["workers"], found["status"]) == (3, "UPDATE_COMPLETE")
    assert found["expires"] != "never"
    assert len(answer("status", "-s", "demo")["machines"]) == 4
    assert "workers: 2\n" in cluster("scale", "-s", "demo", "--workers", "2").stdout


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("-s", "demo"), "say what shall change"),
        (("-s", "demo", "-n", "2"), "-r and -n go together"),
        (("--manager", "me@host", "--workers", "2"), "--stack names one"),
        (("-s", "demo", "-r", "gym-core", "-n", "2"), "-i names your SSH key"),
    ],
)
def test_what_makes_no_sense(words: tuple[str, ...], text: str) -> None:
    result = cluster("scale", *words)
    assert result.exit_code == 2
    assert text in result.stderr
