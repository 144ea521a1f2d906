"""A pool on two Ray nodes: placement, pixels, and an actor that is lost."""

import builtins
import json
import subprocess
import sys

import pytest

from auniverse.errors import MissingDependencyError, UnknownEnvError, UsageError
from auniverse.vector import RayPool

CARTPOLE = "gym-core.CartPole-v1"


@pytest.mark.timeout(240)
def test_two_nodes():
    command = [sys.executable, "-m", "tests.vector.crew.cluster"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=220)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["nodes"] == 2
    assert said["shape"] == [4, 120, 160, 3]
    assert said["repeats"]
    assert said["differ"] == said["remotes"] == 4
    assert said["rewards"] == [1.0] * 4
    assert said["partial"] == [3]
    assert said["faults"] == {"2": "WorkerLostError", "3": "WorkerLostError"}
    assert said["rewards of faults"] == [0.0, 0.0]
    assert said["stats"] == 2
    assert said["frozen"] == ["actor 0 answered nothing for 3 s"]
    assert said["frozen is gone"]
    assert said["alive"] == 0
    assert "pause" not in said
    assert said["played on"]
    assert said["added"] == [1]
    assert said["both play"] == [0, 1]
    assert said["screens"] == [[120, 160, 3]] * 2
    assert said["left"] == "gym-core-0"
    assert said["others"] == [1]


def test_without_ray_the_error_names_the_extra(monkeypatch):
    real = builtins.__import__

    def without_ray(name, *args, **kwargs):
        if name == "ray":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_ray)
    with pytest.raises(MissingDependencyError, match=r"auniverse\[ray\]"):
        RayPool(CARTPOLE, 2)


def test_bad_arguments():
    with pytest.raises(UnknownEnvError):
        RayPool("llama.Llama-v0", 1)
    for n in (0, True, 1.5):
        with pytest.raises(UsageError, match="number of remotes"):
            RayPool(CARTPOLE, n)
    with pytest.raises(UsageError, match="actors=0"):
        RayPool(CARTPOLE, 1, actors=0)
    with pytest.raises(UsageError, match="env_id"):
        RayPool(None, 1)
