from __future__ import annotations

import pytest

from auniverse.errors import UsageError
from auniverse.remotes.spec import Started, read_started


@pytest.mark.parametrize(
    ("spec", "started"),
    [
        (4, Started("", 4)),
        ("4", Started("", 4)),
        ("docker:2", Started("docker", 2)),
        ("swarm:8", Started("swarm", 8)),
        ("swarm+ssh://me@manager:2222/8", Started("swarm", 8, "ssh://me@manager:2222")),
        ("swarm+tls://10.0.0.1/8", Started("swarm", 8, "tls://10.0.0.1")),
        (
            "swarm:8?constraint=node.role==worker&constraint=node.labels.gpu!=no",
            Started("swarm", 8, "", ("node.role==worker", "node.labels.gpu!=no")),
        ),
        (
            "swarm+ssh://manager/3?constraint=node.hostname==n2",
            Started("swarm", 3, "ssh://manager", ("node.hostname==n2",)),
        ),
    ],
)
def test_what_is_to_be_started(spec: int | str, started: Started) -> None:
    assert read_started(spec) == started


@pytest.mark.parametrize(
    "spec",
    [
        "swarm+ssh://h:22",
        "swarm+ssh://h/4/5",
        "1234567",
        ["swarm:4"],
        True,
        None,
        4.0,
        "--1",
        "",
        "four",
        "docker:",
        "vnc://h:1",
        "swarm+http://h/4",
        "swarm+ssh:///4",
    ],
)
def test_what_says_nothing_of_it(spec: object) -> None:
    assert read_started(spec) is None


@pytest.mark.parametrize(
    "spec",
    [
        "4?constraint=node.role==worker",
        "docker:4?constraint=node.role==worker",
        "swarm:4?",
        "swarm:4?password=hunter2",
        "swarm:4?constraint=worker",
        "swarm:4?constraint=node.role==",
    ],
)
def test_what_stands_behind_the_question_mark_is_known(spec: str) -> None:
    with pytest.raises(UsageError, match="constraint=, for a swarm") as caught:
        read_started(spec)
    assert "hunter2" not in str(caught.value)
