from __future__ import annotations

from dataclasses import replace

from auniverse.remotes.docker.recipe import Recipe
from auniverse.runtimes import runtime

RECIPE = Recipe(
    runtime=runtime("gym-core"),
    image="auniverse/gym-core:1",
    env_id="gym-core.Pong-v5",
    screen="native",
    lease=7.5,
    client_id="me",
    owner="0123",
    network="net",
    bind="10.0.0.7",
)


def test_the_line_by_hand() -> None:
    assert RECIPE.by_hand() == (
        "docker run --rm --init --cap-drop ALL --security-opt no-new-privileges --read-only "
        "--tmpfs /tmp:rw,noexec,nosuid,nodev,size=64m,mode=1777 --memory 512m --memory-swap 512m "
        "--cpus 1 --pids-limit 64 -p 127.0.0.1:5900:5900 -p 127.0.0.1:15900:15900 "
        "auniverse/gym-core:1 --screen native --env-id gym-core.Pong-v5"
    )


def test_what_a_runtime_allows() -> None:
    loose = replace(RECIPE, runtime=replace(RECIPE.runtime, read_only=False, egress=True))
    host = loose.config("3")["HostConfig"]
    assert (host["ReadonlyRootfs"], host["Tmpfs"], host["Dns"]) == (False, {}, [])
    assert "--read-only" not in loose.by_hand()
    strict = RECIPE.config("3")["HostConfig"]
    assert (strict["ReadonlyRootfs"], strict["Dns"]) == (True, ["127.0.0.1"])


def test_ports_are_the_engines_choice_at_the_given_address() -> None:
    config = RECIPE.config("0")
    assert config["HostConfig"]["PortBindings"] == {
        "5900/tcp": [{"HostIp": "10.0.0.7", "HostPort": ""}],
        "15900/tcp": [{"HostIp": "10.0.0.7", "HostPort": ""}],
    }
    assert config["HostConfig"]["NetworkMode"] == "net"


def test_labels_and_the_command() -> None:
    labels = RECIPE.config("2")["Labels"]
    assert RECIPE.kind.items() <= labels.items()
    assert (labels["auniverse.slot"], labels["auniverse.lease"]) == ("2", "7.5")
    assert labels["auniverse.client-id"] == "me"
    assert RECIPE.command()[-3:] == ["--lease", "7.5", "--passwords-from-stdin"]
    assert replace(RECIPE, lease=None, env_id=None).command() == [
        "--screen",
        "native",
        "--passwords-from-stdin",
    ]
