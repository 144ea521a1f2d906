"""When a quiet link is silent, beat by beat."""

import pytest

from auniverse.errors import UsageError
from auniverse.session.silence import BEATS, Silence


class Voice:
    """Counts its probes; says something if told to."""

    def __init__(self):
        self.heard_at = 0.0
        self.probes = 0

    def probe(self):
        self.probes += 1


def test_who_speaks_is_not_even_asked():
    silence, voice = Silence(5.0), Voice()
    for beat in range(100):
        voice.heard_at = beat * silence.beat
        assert silence.listen([voice]) is None
    assert voice.probes == 0


def test_who_answers_when_asked_is_only_quiet():
    silence, voice = Silence(5.0), Voice()
    for beat in range(100):
        before = voice.probes
        assert silence.listen([voice]) is None
        if voice.probes > before:
            voice.heard_at = beat
    assert voice.probes > 30


def test_who_answers_nothing_is_silent_within_the_limit():
    silence, speaks, dead = Silence(5.0), Voice(), Voice()
    beats = 0
    while (silent := silence.listen([speaks, dead])) is None:
        beats += 1
        speaks.heard_at = beats
    assert silent is dead
    assert (beats + 1) * silence.beat <= 5.0  # heard just after a beat, at worst
    assert dead.probes == BEATS - 2
    assert speaks.probes == 0


def test_what_had_a_good_reason_is_forgotten():
    silence, voice = Silence(5.0), Voice()
    for _ in range(20):
        for _ in range(BEATS - 1):
            assert silence.listen([voice]) is None
        silence.forget()


@pytest.mark.parametrize("limit", [0, -1.0, float("nan")])
def test_no_time_is_no_limit(limit):
    with pytest.raises(UsageError, match="silence="):
        Silence(limit)
