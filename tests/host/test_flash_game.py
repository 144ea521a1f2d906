from __future__ import annotations

import hashlib
import http.server
import re
import shutil
import subprocess
import threading
import zlib
from pathlib import Path

import pytest

from auniverse.errors import ProvisionError, UnknownEnvError, UsageError
from auniverse.host.flash_game import OURS, Click, Insist, Press, Until, Wait, find_game, read_game
from auniverse.runtimes import envs
from auniverse.shelf import GAMES_VARIABLE

from .swfs import swf


@pytest.fixture
def games(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(GAMES_VARIABLE, str(tmp_path))
    return tmp_path


def test_the_catalogue_says_of_our_games_what_their_files_say(games: Path) -> None:
    ours = [env for env in envs("flashgames") if not env.brought]
    assert {f"{env.title.replace(' ', '')}.swf" for env in ours} == {
        path.name for path in OURS.glob("*.swf")
    }
    for env in ours:
        game = find_game(env.env_id)
        assert (game.keys, game.pointer, game.fps) == (env.keys, env.pointer, env.fps)
        assert (game.width, game.height, game.source) == (640, 480, "screen")
        assert game.judge is game.screen is not None
        assert game.interface is not None


def test_a_game_that_is_not_here(games: Path) -> None:
    with pytest.raises(ProvisionError) as refusal:
        find_game("flashgames.DuskDrive-v0")
    assert f"put DuskDrive.swf into {games}" in str(refusal.value)
    assert "64 hexadecimal digits of `sha256sum DuskDrive.swf`" in str(refusal.value)
    with pytest.raises(ProvisionError, match="near it are here: DuneRun"):
        find_game("flashgames.DuneRum-v0")
    for wrong in ("flashgames.-v0", "flashgames.../etc/passwd-v0", "DuneRun-v0", "flashgames.A-v1"):
        with pytest.raises(UnknownEnvError, match="is no Flash game"):
            find_game(wrong)


def test_a_file_alone_is_played_without_a_reward(games: Path) -> None:
    (games / "DuskDrive.swf").write_bytes(swf())
    game = find_game("flashgames.DuskDrive-v0")
    assert (game.width, game.height, game.fps, game.judge) == (320, 240, 30.0, None)
    assert "ArrowUp" in game.keys
    (games / "DuskDrive.swf").write_text("<html>404</html>")
    with pytest.raises(UsageError, match=r"DuskDrive\.swf is no SWF"):
        find_game("flashgames.DuskDrive-v0")


def test_every_key_of_a_game(games: Path) -> None:
    (games / "mine.swf").write_bytes(swf())
    (games / "extra.xml").write_text("<x/>")
    (games / "Game.yml").write_text(f"""
swf: mine.swf
sha256: {hashlib.sha256(swf()).hexdigest()}
size: 640x480
fps: 24
keys: a b
pointer: true
files: extra.xml
menu:
- wait: 0.5
- click: 3 4
- key: space
- until: {{region: 1 2 3 4, color: 1 2 3}}
  within: 2
- key: a
  until: {{region: 1 2 3 4, color: 1 2 3}}
reward: interface
interface: {{ask_score: getScore, over: onOver, rule: average_score}}
""")
    game = find_game("flashgames.Game-v0")
    assert (game.width, game.height, game.fps) == (640, 480, 24)
    wait, click, press, until, insist = game.menu
    assert (wait, click, press) == (Wait(0.5), Click(3, 4), Press("space"))
    assert isinstance(until, Until)
    assert until.within == 2
    assert insist == Insist(Press("a"), until._replace(within=15))
    assert game.judge is game.interface is not None
    assert (game.interface.score_ask, game.interface.over_call) == ("getScore", "onOver")
    assert game.files == {"extra.xml": b"<x/>"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("swf: other.swf", r"Game\.yml:1: swf names other\.swf, which is not in"),
        ("swf: ../Game.swf", "swf must be the name of a file beside this one"),
        ("sha256: abc", r"Game\.yml:1: sha256 must be 64 hexadecimal digits"),
        (f"sha256: {'a' * 64}", "sha256 is not that of"),
        ("url: http://localhost/x.swf", "sha256 is missing"),
        ("size: huge", r"Game\.yml:1: size must be like 640x480, each side from 16 to 4096"),
        ("size: native", "size must be like 640x480"),
        ("keys: Arrow", r"Game\.yml:1: keys holds 'Arrow'"),
        ("menu:\n- hop: 1", r"Game\.yml:2: menu\[0\] must be a click, a key, a wait or an until"),
        ("menu:\n- click: 1", r"menu\[0\].click must be a text"),
        ("menu:\n- click: 1 -2", r"menu\[0\].click must be a column and a row"),
        ("menu:\n- wait: 1\n  click: 3 4", r"menu\[0\]\.wait is not a known key"),
        ("menu:\n- wait: 100", r"menu\[0\].wait must lie between 0 and 60"),
        ("menu:\n- key: nokey", r"menu\[0\].key holds 'nokey'"),
        ("reward: screen", "reward is screen, of which nothing is said"),
        ("reward: luck", "reward must be screen or interface or none"),
        ("interface: {over: onOver}", "interface must have a score or an ask_score"),
        ("interface: {score: 'alert(1)'}", "interface.score is no name of a function"),
        ("files: ../x", "only names of files beside this one"),
        ("files: none.xml", "names none.xml, which is not in"),
        ("colour: red", r"Game\.yml:1: colour is not a known key"),
        ("- 1", r"Game\.yml:1: the file must be a mapping"),
        ("a: [", r"Game\.yml:"),
        ("", "the file is empty"),
    ],
)
def test_a_wrong_yaml_is_named(games: Path, text: str, complaint: str) -> None:
    (games / "Game.swf").write_bytes(swf())
    (games / "Game.yml").write_text(text)
    with pytest.raises(UsageError, match=complaint):
        find_game("flashgames.Game-v0")


def test_a_game_from_elsewhere_is_fetched_once_and_checked(games: Path) -> None:
    class Site(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(swf(b"CWS"))

        def log_message(self, *words: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{site.server_address[1]}/Game.swf"
        path = games / "Game.yml"
        path.write_text(f"url: {url}\nsha256: {'f' * 64}")
        with pytest.raises(ProvisionError, match="another SHA-256 than its YAML says"):
            read_game(path)
        assert not (games / "Game.swf").exists()
        path.write_text(f"url: {url}\nsha256: {hashlib.sha256(swf(b'CWS')).hexdigest()}")
        assert read_game(path).width == 320
        site.shutdown()
    assert read_game(path).width == 320  # it is here now
    (games / "Game.swf").unlink()
    with pytest.raises(ProvisionError, match="cannot fetch"):
        read_game(path)
    path.write_text(f"url: file:///etc/passwd\nsha256: {'f' * 64}")
    with pytest.raises(UsageError, match="url must begin with http"):
        read_game(path)


@pytest.mark.skipif(shutil.which("haxe") is None, reason="needs haxe, to compile our games anew")
@pytest.mark.parametrize("name", sorted(path.stem for path in OURS.glob("*.swf")))
def test_our_games_are_what_their_sources_say(name: str, tmp_path: Path) -> None:
    command = ["haxe", "--cwd", str(OURS / "src"), "-main", name, "-swf", str(tmp_path / "new.swf")]
    command += ["--swf-version", "15", "--swf-header", "640:480:60:000000", "-dce", "full"]
    subprocess.run(command, check=True)
    assert code_of(tmp_path / "new.swf") == code_of(OURS / f"{name}.swf")


def code_of(path: Path) -> bytes:
    """The tags DoABC of a compressed file; others say when it was compiled."""
    body = zlib.decompress(path.read_bytes()[8:])
    at = (5 + 4 * (body[0] >> 3) + 7) // 8 + 4
    code = b""
    while at < len(body):
        kind = int.from_bytes(body[at : at + 2], "little")
        length, at = kind & 63, at + 2
        if length == 63:
            length, at = int.from_bytes(body[at : at + 4], "little"), at + 4
        code += body[at : at + length] if kind >> 6 == 82 else b""
        at += length
    assert code
    return re.sub(rb"boot_[0-9a-f]+", b"boot", code)  # a name that is drawn by lot
