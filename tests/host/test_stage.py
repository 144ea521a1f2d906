"""Episodes on a stage, told to a peer of protocol 1, without a socket."""

from __future__ import annotations

import json

import numpy as np
import pytest

from auniverse.errors import UnknownEnvError, UsageError
from auniverse.host.stage import MAX_FAILURES, NOTHING, STEADY, ProgramFailed, Stage, read_size
from auniverse.keysyms import keysym
from auniverse.rewarder import Server
from auniverse.rfb import KeyEvent, PointerEvent
from tests.meter import ENV_ID, HEIGHT, WIDTH, Meter

A, Q, T, X = (KeyEvent(keysym(key), True) for key in "aqtx")


class Told:
    """What a peer was told since it was last asked."""

    def __init__(self, server):
        self.peer = server.connect({"auniverse-protocol": "1"}, 0.0)
        self()

    def __call__(self):
        told = []
        for text in self.peer.data_to_send():
            message = json.loads(text)
            method, episode = message["method"], message["headers"].get("episode_id")
            told.append((method.rpartition(".")[2], episode, message["body"]))
        return told


def set_up(program, screen="native"):
    server = Server(password=None, env_id=None, fps=60.0, v1=NOTHING)
    stage = Stage(program, server, screen)
    told = Told(server)
    stage.load(ENV_ID)
    return stage, told


def test_an_episode():
    stage, told = set_up(Meter())
    assert stage.over
    stage.begin(7, 1.0)
    assert not stage.over
    resetting, running, text = told()
    assert [m[:2] for m in (resetting, running, text)] == [
        ("describe", "1"),
        ("describe", "1"),
        ("text", "1"),
    ]
    assert (resetting[2]["env_state"], running[2]["env_state"]) == ("resetting", "running")
    assert (resetting[2]["v1"]["frame"], running[2]["v1"]["frame"]) == (0, 1)
    assert (running[2]["env_id"], running[2]["fps"]) == (ENV_ID, 200.0)
    assert running[2]["v1"]["width"] == WIDTH
    assert stage.screen.frame == stage.screen.announced == 1
    assert stage.screen.pixels[0, 0].tolist() == [0, 7, 0, 0]
    stage.press(A)
    stage.advance(1.5)
    assert told() == [("reward", "1", {"reward": 1.0, "done": False, "info": {}})]
    assert (stage.screen.frame, stage.screen.drawn_at, stage.screen.announced) == (2, 1.5, 1)
    stage.advance(1.6, announce=True)
    assert stage.screen.announced == 3
    told()
    stage.press(Q)
    stage.advance(2.0)
    assert told() == [("reward", "1", {"reward": 1.0, "done": True, "info": {}})]
    assert stage.over
    stage.begin(None, 3.0)
    assert [message[1] for message in told()] == ["2", "2", "2"]
    assert stage.screen.pixels[0, 0].tolist() == [0, 7, 0, 0], "no seed, no keys"


def test_truncation_is_said():
    stage, told = set_up(Meter())
    stage.begin(0, 0.0)
    told()
    stage.press(T)
    stage.advance(0.1)
    assert told() == [("reward", "1", {"reward": 0.0, "done": True, "info": {"truncated": True}})]


def test_a_quiet_episode_has_a_heartbeat():
    stage, told = set_up(Meter())
    stage.begin(0, 0.0)
    told()
    for now in range(1, 12):
        stage.advance(float(now))
    assert [message[2]["reward"] for message in told()] == [0.0, 0.0]


def test_texts_are_sent_when_they_change():
    class Talker(Meter):
        def advance(self):
            picture, outcome = super().advance()
            return picture, outcome._replace(text=("one", "one", None, "two")[self.frames - 1])

    stage, told = set_up(Talker())
    stage.begin(0, 0.0)
    told()
    for _ in range(4):
        stage.advance(0.1)
    assert [(kind, body["text"]) for kind, _, body in told()] == [("text", "one"), ("text", "two")]


def test_lockstep_is_told():
    stage, told = set_up(Meter())
    stage.begin(0, 0.0, lockstep=True)
    assert [body["v1"]["lockstep"] for kind, _, body in told() if kind == "describe"] == [True] * 2
    stage.advance(0.0)
    stage.set_lockstep(False, 0.0)
    ((kind, episode, body),) = told()
    assert (kind, episode, body["env_state"]) == ("describe", "1", "running")
    assert (body["v1"]["lockstep"], body["v1"]["frame"]) == (False, 1)
    stage.set_lockstep(False, 0.0)
    assert told() == []


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (lambda picture, outcome: 1 / 0, "ZeroDivisionError"),
        (lambda picture, outcome: (picture[1:], outcome), "was announced"),
        (lambda picture, outcome: (picture, outcome._replace(reward=float("nan"))), "JSON"),
        (lambda picture, outcome: (picture, outcome._replace(info={"x": {1}})), "JSON"),
    ],
    ids=["raises", "another size", "no finite reward", "no JSON"],
)
def test_a_failure_ends_the_episode(bad, reason, caplog):
    class Failing(Meter):
        def advance(self):
            picture, outcome = super().advance()
            return bad(picture, outcome) if self.frames == 2 else (picture, outcome)

    stage, told = set_up(Failing())
    stage.begin(0, 0.0)
    told()
    stage.press(A)
    stage.advance(0.1)
    stage.advance(0.2)
    assert stage.over
    first, last = told()
    assert first[2]["reward"] == 1.0
    assert last[2]["done"]
    assert reason in last[2]["info"]["reason"]
    assert "failed" in caplog.text
    stage.begin(None, 0.3)
    assert told()[-1][1] == "2"


def test_failing_again_and_again_is_the_end():
    stage, _ = set_up(Meter())
    for _ in range(MAX_FAILURES):
        stage.begin(0, 0.0)
        stage.press(X)
        stage.advance(0.0)
        assert stage.over
    stage.begin(0, 0.0)
    stage.press(X)
    with pytest.raises(ProgramFailed, match="crashed as asked"):
        stage.advance(0.0)


def test_failures_far_apart_are_forgiven():
    stage, _ = set_up(Meter())
    for _ in range(2 * MAX_FAILURES):
        stage.begin(0, 0.0)
        for _ in range(STEADY):
            stage.advance(0.0)
        stage.press(X)
        stage.advance(0.0)
        assert stage.over


class Stubborn(Meter):
    """Comes up only after being loaded `needed` times."""

    def __init__(self, needed):
        super().__init__()
        self.needed = needed
        self.loads = 0

    def load(self, env_id):
        self.loads += 1
        return super().load(env_id)

    def reset(self, seed):
        if self.loads < self.needed:
            raise OSError("not yet")
        return super().reset(seed)


def test_a_failed_reset_is_tried_again_after_another_load():
    stage, told = set_up(Stubborn(MAX_FAILURES))
    stage.begin(3, 0.0)
    assert stage.screen.pixels[0, 0, 1] == 3
    assert [message[1] for message in told()] == ["1"] * 3


def test_a_program_that_never_comes_up_is_the_end():
    stage, _ = set_up(Stubborn(MAX_FAILURES + 1))
    with pytest.raises(ProgramFailed, match=r"cannot be reset.*not yet"):
        stage.begin(0, 0.0)


def test_a_failed_load_changes_nothing():
    stage, told = set_up(Meter())
    stage.begin(0, 0.0)
    told()
    before = stage.screen.pixels.copy()
    with pytest.raises(UnknownEnvError):
        stage.load("meter.Other-v0")
    assert np.array_equal(stage.screen.pixels, before)
    assert not stage.over
    assert told() == []


def test_a_native_screen_takes_the_programs_size():
    stage, _ = set_up(Meter())
    assert (stage.screen.width, stage.screen.height) == (WIDTH, HEIGHT)


def test_the_pointer_comes_in_pixels_of_the_picture():
    class Pointed(Meter):
        def press(self, event):
            self.seen = event

    program = Pointed()
    stage, _ = set_up(program, f"{WIDTH * 4}x{HEIGHT * 2}")
    # The picture is twice as large, in the middle.
    stage.press(PointerEvent(WIDTH + 11, 7, 5))
    assert program.seen == PointerEvent(5, 3, 5)
    stage.press(A)
    assert program.seen == A


@pytest.mark.parametrize("screen", ["", "1024", "0x10", "5000x10", "1x2x3", "-1x5", "axb", "²x1"])
def test_screens_that_are_none(screen):
    with pytest.raises(UsageError, match="1024x768"):
        read_size(screen)
    server = Server(password=None, env_id=None, fps=60.0)
    with pytest.raises(UsageError, match="screen"):
        Stage(Meter(), server, screen)


def test_sizes_of_screens():
    assert read_size("native") == (1024, 768)
    assert read_size("640x480", 64) == (640, 480)
    with pytest.raises(UsageError, match="each side from 64 to 4096 pixels"):
        read_size("640x63", 64)
