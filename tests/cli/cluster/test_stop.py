"""`auniverse cluster stop`: its words."""

from .runner import cluster


def test_somebody_must_be_told() -> None:
    nobody = cluster("stop", "-r", "gym-core")
    assert nobody.exit_code == 2
    assert "say which swarm" in nobody.stderr
