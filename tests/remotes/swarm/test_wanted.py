from __future__ import annotations

import json
from dataclasses import replace

from auniverse.remotes.docker.owner import Passwords
from auniverse.remotes.docker.recipe import MIB, Recipe
from auniverse.remotes.swarm.wanted import Wanted, own_labels, secret_of
from auniverse.runtimes import runtime

RECIPE = Recipe(
    runtime=runtime("gym-core"),
    image="auniverse/gym-core:1",
    env_id=None,
    screen="160x120",
    lease=7.5,
    client_id="me",
    owner="us",
)
WANTED = Wanted(RECIPE, ("node.role==worker",))


def test_a_service() -> None:
    spec = WANTED.spec("auniverse-x", 3, "secret-id")
    assert spec["Mode"] == {"Replicated": {"Replicas": 1}}
    assert spec["EndpointSpec"]["Mode"] == "dnsrr"
    assert [
        (port["TargetPort"], port["PublishMode"]) for port in spec["EndpointSpec"]["Ports"]
    ] == [
        (5900, "host"),
        (15900, "host"),
    ]
    assert all("PublishedPort" not in port for port in spec["EndpointSpec"]["Ports"])
    task, reserve = spec["TaskTemplate"], RECIPE.runtime.reserve
    assert task["Placement"] == {"Constraints": ["node.role==worker"]}
    assert task["RestartPolicy"]["Condition"] == "on-failure"
    assert task["Resources"]["Limits"]["MemoryBytes"] == 512 * MIB
    assert task["Resources"]["Reservations"] == {
        "MemoryBytes": reserve.memory * MIB,
        "NanoCPUs": round(reserve.cpus * 1e9),
    }
    labels = own_labels(spec["Labels"])
    assert labels["owner"] == "us"
    assert (labels["slot"], labels["lease"], labels["client-id"]) == ("3", "7.5", "me")
    assert task["ContainerSpec"]["Labels"] == spec["Labels"]


def test_its_container_may_as_little_as_one_of_an_engine() -> None:
    container = WANTED.spec("auniverse-x", 3, "secret-id")["TaskTemplate"]["ContainerSpec"]
    assert container["CapabilityDrop"] == ["ALL"]
    assert (container["ReadOnly"], container["Init"]) == (True, True)
    assert [mount["Target"] for mount in container["Mounts"]] == ["/tmp"]
    assert container["DNSConfig"] == {"Nameservers": ["127.0.0.1"]}
    open_one = replace(RECIPE.runtime, egress=True, read_only=False)
    spec = Wanted(replace(RECIPE, runtime=open_one)).spec("auniverse-x", 0, "secret-id")
    container = spec["TaskTemplate"]["ContainerSpec"]
    assert (container["DNSConfig"], container["Mounts"], container["ReadOnly"]) == ({}, [], False)


def test_its_passwords_are_in_a_secret_and_nowhere_else() -> None:
    passwords = Passwords("hunter2!", "correct horse")
    assert json.loads(secret_of(passwords)) == {
        "vnc_password": "hunter2!",
        "rewarder_password": "correct horse",
    }
    container = WANTED.spec("auniverse-x", 3, "secret-id")["TaskTemplate"]["ContainerSpec"]
    (secret,) = container["Secrets"]
    assert (secret["SecretID"], secret["SecretName"]) == ("secret-id", "auniverse-x")
    assert (secret["File"]["Mode"], secret["File"]["UID"]) == (0o400, "65534")
    assert container["Args"][-2:] == ["--passwords-from-file", "/run/secrets/auniverse"]


def test_with_a_certificate_it_is_of_another_kind_and_finds_it_behind_its_passwords() -> None:
    inside_tls = replace(WANTED, tls=True)
    assert inside_tls.kind == {**WANTED.kind, "tls": "yes"}
    assert inside_tls.kind.items() <= own_labels(inside_tls.labels(3)).items()
    container = inside_tls.spec("auniverse-x", 3, "secret-id")["TaskTemplate"]["ContainerSpec"]
    assert container["Args"][-2:] == ["--certificate", "/run/secrets/auniverse"]
    line, _, rest = secret_of(Passwords("a", "b"), "PEM\n").partition("\n")
    assert json.loads(line) == {"vnc_password": "a", "rewarder_password": "b"}
    assert rest == "PEM\n"


def test_what_it_begins_with_can_be_told_from_its_labels() -> None:
    assert "env-id" not in own_labels(WANTED.labels(0))
    begun = replace(WANTED, recipe=replace(RECIPE, env_id="gym-core.Pong-v5"))
    assert own_labels(begun.labels(0))["env-id"] == "gym-core.Pong-v5"
