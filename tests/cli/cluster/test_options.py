"""What is printed can be read back."""

import pytest

from auniverse.address import Remote, Route, parse_remotes
from auniverse.cli.cluster.options import ask, in_words, url_of
from auniverse.cluster import Distance

from .runner import cluster


def test_an_address_with_its_passwords_is_read_back() -> None:
    route = Route(
        "vnc+ssh", jump="192.0.2.1:22", user="me", hostkey="SHA256:" + "a" * 43, identity="/a b.pem"
    )
    remotes = [
        Remote("10.0.0.1", 1, 2, vnc_password="p&q?", rewarder_password="x,y", route=route),
        Remote("10.0.0.2", 3, 4, vnc_password="z", rewarder_password="z"),
    ]
    back = parse_remotes(",".join(url_of(remote) for remote in remotes))
    assert [(one.vnc_password, one.rewarder_password) for one in back] == [
        ("p&q?", "x,y"),
        ("z", "z"),
    ]
    assert (back[0].host, back[0].route.jump, back[0].route.identity) == (
        "10.0.0.1",
        "192.0.2.1:22",
        "/a b.pem",
    )


@pytest.mark.parametrize("command", ["up", "status", "scale", "start", "stop", "down", "template"])
def test_every_command_can_speak_json(command: str) -> None:
    found = cluster(command, "--json", "--no-such-option")
    assert "No such option: --no-such-option" in found.stderr, "and --json is one"


def test_where_nobody_is_the_answer_is_no() -> None:
    assert ask("Is it the right one?") is False


def test_distances_in_words() -> None:
    text = in_words(Distance(0.0125, None)._asdict())
    assert "through the manager 12 ms, directly nobody answers" in text
