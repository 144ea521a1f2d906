"""Which episode runs is told by messages in any order; when it is shown, by the screen."""

from dataclasses import dataclass

import pytest

from auniverse.errors import RewarderReplyError
from auniverse.rewarder import (
    V1,
    Describe,
    Described,
    ErrorReplied,
    ResetReplied,
    StepReplied,
    TextReceived,
)
from auniverse.rfb import Frame
from auniverse.session import Episode


@dataclass
class Screen:
    frame: Frame | None = None
    refreshed: bool = False
    asked: int = 0

    def refresh(self):
        self.asked += 1
        self.refreshed = False

    def show(self, number):
        self.frame = Frame(number, 0.0, 0, 0.0)


def described(state, episode, frame=None):
    v1 = frame if frame is None else V1(frame, True, 4, 3, (), "hold", (), False, False)
    return Described(Describe("e", state, episode, 60.0, v1), 0.0, 0.0)


@pytest.fixture
def screen():
    return Screen()


@pytest.fixture
def episode(screen):
    return Episode(screen)


RUNNING = described("running", "2")
RESETTING = described("resetting", "2")
REPLY = ResetReplied(7, "2", 0.0)


@pytest.mark.parametrize("order", [[RESETTING, RUNNING, REPLY], [RESETTING, REPLY, RUNNING]])
def test_the_reply_may_come_before_or_after_running(episode, screen, order):
    episode.expect(7)
    for event in order:
        assert not episode.playing
        episode.feed(event)
    assert not episode.playing, "nothing is shown yet"
    screen.refreshed = True
    assert episode.playing


def test_an_old_episode_still_on_its_way_is_not_the_new_one(episode, screen):
    episode.expect(7)
    episode.feed(described("running", "1"))
    screen.refreshed = True
    episode.feed(REPLY)
    assert not episode.playing
    episode.feed(RUNNING)
    screen.refreshed = True
    assert episode.playing


def test_a_reply_to_somebody_elses_reset_does_not_count(episode, screen):
    episode.expect(7)
    episode.feed(RUNNING)
    screen.refreshed = True
    episode.feed(ResetReplied(6, "2", 0.0))
    assert not episode.playing


def test_a_numbered_frame_shows_the_episode_and_needs_no_refresh(episode, screen):
    screen.show(40)
    episode.expect(7)
    episode.feed(described("running", "2", frame=42))
    episode.feed(REPLY)
    screen.show(41)
    screen.refreshed = True
    assert not episode.playing
    screen.show(42)
    assert episode.playing
    assert screen.asked == 0


def test_a_host_that_numbers_frames_behind_a_server_that_does_not(episode, screen):
    episode.expect(7)
    episode.feed(described("running", "2", frame=42))
    episode.feed(REPLY)
    assert screen.asked == 1
    assert not episode.playing
    screen.refreshed = True
    assert episode.playing


def test_once_shown_an_episode_stays_shown_while_it_runs(episode, screen):
    episode.expect(7)
    episode.feed(RUNNING)
    episode.feed(REPLY)
    screen.refreshed = True
    assert episode.playing
    screen.refreshed = False
    assert episode.playing


def test_the_end_waits_for_the_next_episode(episode, screen):
    episode.expect(7)
    episode.feed(RUNNING)
    episode.feed(REPLY)
    screen.refreshed = True
    assert episode.playing
    episode.end("2")
    assert episode.over
    assert not episode.playing
    episode.feed(described("resetting", "3"))
    assert not episode.playing
    episode.feed(described("running", "3"))
    screen.refreshed = True
    assert episode.playing
    assert not episode.over


def test_the_end_may_be_seen_when_the_next_episode_runs_already(episode, screen):
    episode.expect(7)
    episode.feed(REPLY)
    for state, number in (("running", "2"), ("resetting", "3"), ("running", "3")):
        episode.feed(described(state, number))
    episode.end("2")
    screen.refreshed = True
    assert episode.playing


def test_without_a_screen_running_is_enough():
    episode = Episode(None)
    episode.expect(7)
    episode.feed(RUNNING)
    episode.feed(REPLY)
    assert episode.playing


def test_without_a_rewarder_the_full_screen_is_the_episode(episode, screen):
    episode.join_screen()
    assert screen.asked == 1
    assert not episode.playing
    screen.refreshed = True
    assert episode.playing


def test_an_observer_joins_what_runs(episode, screen):
    episode.join(RUNNING.describe)
    screen.refreshed = True
    assert episode.playing
    episode.join(None)
    assert not episode.playing


def test_a_refused_reset_is_said(episode):
    episode.expect(7)
    episode.feed(ErrorReplied(message_id=7, request="v0.env.reset", message="unknown env id llama"))
    with pytest.raises(RewarderReplyError, match="llama"):
        _ = episode.playing
    episode.expect(8)
    assert not episode.playing, "a new reset is a new chance"


def test_a_step_is_done_when_its_frame_is_shown(episode, screen):
    episode.expect_step(9)
    assert not episode.stepped
    episode.feed(StepReplied(message_id=9, frame=5, episode_id="2"))
    screen.show(4)
    assert not episode.stepped
    screen.show(5)
    assert episode.stepped
    episode.expect_step(10)
    assert not episode.stepped


def test_text_belongs_to_its_episode(episode):
    episode.feed(RUNNING)
    episode.feed(TextReceived("Click on the Ok button.", "2", 0.0, 0.0))
    assert episode.text == "Click on the Ok button."
    episode.feed(TextReceived({"instruction": "Click on No.", "blocks": []}, "2", 0.0, 0.0))
    assert episode.text == "Click on No."
    episode.feed(TextReceived([1, 2], "2", 0.0, 0.0))
    assert episode.text == ""
    episode.feed(TextReceived("again", "2", 0.0, 0.0))
    episode.feed(described("resetting", "3"))
    assert episode.text == ""
