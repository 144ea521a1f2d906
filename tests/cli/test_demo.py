from __future__ import annotations

from pathlib import Path

import pytest

from .command import auniverse


@pytest.mark.timeout(120)
def test_demo_leaves_a_film_and_a_contact_sheet(tmp_path: Path) -> None:
    import av
    from PIL import Image

    run = auniverse("demo", "--seconds", "3", "--out", str(tmp_path), timeout=110)
    assert run.returncode == 0, run.stderr
    sheet, film = tmp_path / "demo.png", tmp_path / "demo.mp4"
    assert [line.split("  ")[0] for line in run.stdout.splitlines()[-2:]] == [str(sheet), str(film)]
    assert "steps/s" in run.stdout
    with Image.open(sheet) as picture:
        assert len(picture.getcolors(1 << 20) or ()) > 20, "four games have many colours"
    with av.open(str(film)) as container:
        frames = list(container.decode(video=0))
    assert frames[0].width == 1024
    assert frames[0].time < 1 < 2 < frames[-1].time <= 3.5
