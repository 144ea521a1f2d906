from __future__ import annotations

from typer.testing import CliRunner

from auniverse.cli import app
from auniverse.cli.images import table
from auniverse.remotes.docker import Built


def test_sizes_and_times_as_the_documents_have_them() -> None:
    found = [
        Built("auniverse/gym-core:1", 285_834_817, 29.9, current=True),
        Built("auniverse/vnc:1", 268_000_000, None, current=False),
    ]
    assert table(found)[2:] == [
        "| auniverse/gym-core:1 | 286 MB | 30 s | yes |",
        "| auniverse/vnc:1 | 268 MB |  | no |",
    ]


def test_without_an_engine_it_is_said_in_a_line() -> None:
    result = CliRunner().invoke(app, ["images"])
    assert result.exit_code == 3
    assert "is it running?" in result.stderr
