from __future__ import annotations

import json

import pytest

from auniverse.cli.image import print_image
from auniverse.remotes.docker import Image

IMAGE = Image("auniverse/gym-core:1", "sha256:0", 285_144_482, fresh=True)


def test_an_image_for_people_and_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    print_image(IMAGE, 78.71, False)
    shown = capsys.readouterr().out
    assert "285 MB" in shown
    assert "78.7 s" in shown
    print_image(IMAGE, 78.71, True)
    assert json.loads(capsys.readouterr().out) == {**IMAGE._asdict(), "seconds": 78.71}
