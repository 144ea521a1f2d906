from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from auniverse import shelf
from auniverse.errors import MissingDependencyError, ProvisionError


def archive(names: tuple[str, ...] = shelf.RUFFLE_FILES) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name in (*names, "../escaped"):
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(name)
            tar.addfile(entry, io.BytesIO(name.encode()))
    return packed.getvalue()


def test_the_player_is_unpacked_if_it_is_the_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = archive()  # once: the time is in it, and the next second has another hash
    monkeypatch.setenv(shelf.RUFFLE_VARIABLE, str(tmp_path / "ruffle"))
    with pytest.raises(MissingDependencyError, match=r"no ruffle\.js\): auniverse fetch ruffle"):
        shelf.ruffle_files()
    with pytest.raises(ProvisionError, match="SHA-512 differs"):
        shelf.unpack_ruffle(packed)
    assert not (tmp_path / "ruffle").exists()
    monkeypatch.setattr(shelf, "RUFFLE_SHA512", hashlib.sha512(packed).hexdigest())
    assert shelf.unpack_ruffle(packed) == tmp_path / "ruffle"
    assert {path.name for path in (tmp_path / "ruffle").iterdir()} == set(shelf.RUFFLE_FILES)
    assert shelf.ruffle_files()["ruffle.js"].read_text() == "ruffle.js"
    (tmp_path / "file").touch()
    monkeypatch.setenv(shelf.RUFFLE_VARIABLE, str(tmp_path / "file" / "ruffle"))
    with pytest.raises(ProvisionError, match="cannot write the player"):
        shelf.unpack_ruffle(packed)


def test_where_things_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(shelf.RUFFLE_VARIABLE, raising=False)
    monkeypatch.delenv(shelf.GAMES_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert shelf.ruffle_folder() == tmp_path / "cache/auniverse/ruffle-0.6.0"
    assert shelf.games_folder() == tmp_path / "data/auniverse/flashgames"
    monkeypatch.setenv(shelf.GAMES_VARIABLE, "/opt/games")
    assert shelf.games_folder() == Path("/opt/games")
