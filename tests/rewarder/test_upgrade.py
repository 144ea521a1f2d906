from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auniverse.rewarder.upgrade import is_observer, protocol_of, refusal, upgrade_headers


def basic(credentials: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(credentials.encode()).decode()}


def test_the_headers_are_universe_s_and_one_more() -> None:
    assert upgrade_headers("openai", observer=False) == {
        "authorization": "Basic b3BlbmFpOg==",  # openai:
        "openai-observer": "false",
        "auniverse-protocol": "1",
    }
    assert upgrade_headers(None, observer=True) == {
        "openai-observer": "true",
        "auniverse-protocol": "1",
    }


@pytest.mark.parametrize("credentials", ["openai:", ":openai", "openai:openai", "me:openai"])
def test_the_password_may_stand_in_either_field(credentials: str) -> None:
    assert refusal(basic(credentials), "openai") is None


@given(st.text(min_size=1))
def test_what_our_client_sends_opens_our_server(password: str) -> None:
    assert refusal(upgrade_headers(password, observer=False), password) is None


@given(st.text(), st.text(min_size=1))
def test_only_the_password_opens(credentials: str, password: str) -> None:
    fields = {credentials.partition(":")[0], credentials.partition(":")[2]}
    fields.add(credentials.rpartition(":")[0])
    verdict = refusal(basic(credentials), password)
    assert (verdict is None) == (":" in credentials and password in fields)


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "no authorization header"),
        (basic("llama:"), "wrong password"),
        (basic("openai"), "invalid authorization header"),  # no colon
        (basic("openai :"), "wrong password"),
        ({"authorization": ""}, "invalid authorization header"),
        ({"authorization": "Basic"}, "wrong password|invalid authorization header"),
        ({"authorization": "Basic ???"}, "invalid authorization header"),
        ({"authorization": "Basic b3Blb*mFpOg=="}, "invalid authorization header"),
        ({"authorization": "Basic b3Bl*bmFpOg=="}, "invalid authorization header"),
        ({"authorization": "Basic ключ"}, "invalid authorization header"),
        ({"authorization": "Bearer b3BlbmFpOg=="}, "invalid authorization header"),
    ],
)
def test_everybody_else_is_told_why(headers: dict[str, str], reason: str) -> None:
    verdict = refusal(headers, "openai")
    assert verdict is not None
    assert verdict in reason.split("|")


@given(st.text())
def test_any_header_is_judged(header: str) -> None:
    assert isinstance(refusal({"authorization": header}, "openai"), str)


def test_without_a_password_the_door_is_open() -> None:
    assert refusal({}, None) is None
    assert refusal(basic("anything:"), None) is None


def test_the_scheme_is_written_in_any_case() -> None:
    assert refusal({"authorization": " basic  b3BlbmFpOg== "}, "openai") is None


def test_observers_and_protocols_are_recognised() -> None:
    assert is_observer({"openai-observer": "true"})
    assert is_observer({"openai-observer": " True "})
    assert not is_observer({"openai-observer": "false"})
    assert not is_observer({})
    assert protocol_of({"auniverse-protocol": "1"}) == 1
    assert [protocol_of({"auniverse-protocol": text}) for text in ("", "0", "x", "٣")] == [0] * 4
    assert protocol_of({}) == 0
