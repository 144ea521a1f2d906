from __future__ import annotations

import contextlib
from ipaddress import IPv6Address
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auniverse.address import Remote, parse_remotes
from auniverse.errors import AddressError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("vnc://h:5900+15900", [("h", 5900, 15900)]),
        ("h:5900+15900", [("h", 5900, 15900)]),
        ("VNC://your.host-1_x:1+65535", [("your.host-1_x", 1, 65535)]),
        ("vnc://h:5900", [("h", 5900, None)]),
        ("vnc://h+15900", [("h", None, 15900)]),
        ("vnc://[::1]:5900+15900", [("::1", 5900, 15900)]),
        ("[fe80::1%eth0]:5900", [("fe80::1%eth0", 5900, None)]),
        ("[::ffff:10.0.0.1]+2", [("::ffff:10.0.0.1", None, 2)]),
        ("vnc://h:5900+15900,h2:5901+15901", [("h", 5900, 15900), ("h2", 5901, 15901)]),
        ("vnc://a:5900+15900,vnc://b:5900+15900", [("a", 5900, 15900), ("b", 5900, 15900)]),
        ("a:1+2, vnc://b:3 , c+4", [("a", 1, 2), ("b", 3, None), ("c", None, 4)]),
    ],
)
def test_the_documented_forms(
    text: str, expected: list[tuple[str, int | None, int | None]]
) -> None:
    remotes = parse_remotes(text)
    assert [(r.host, r.vnc_port, r.rewarder_port) for r in remotes] == expected
    assert {(r.vnc_password, r.rewarder_password) for r in remotes} == {("openai", "openai")}


@pytest.mark.parametrize(
    ("text", "passwords"),
    [
        ("vnc://a:1+2?password=pw", [("pw", "pw")]),
        ("a:1+2?password=pw", [("pw", "pw")]),
        ("vnc://a:1+2,b:3+4?password=pw", [("pw", "pw")] * 2),
        ("vnc://a:1+2?password=x,vnc://b:3+4", [("x", "x"), ("openai", "openai")]),
        ("vnc://a:1+2,vnc://b:3+4?password=x", [("openai", "openai"), ("x", "x")]),
        ("vnc://a:1+2?password=x,vnc://b:3,c:4?password=y", [("x", "x"), ("y", "y"), ("y", "y")]),
        ("a:1+2?vnc_password=v&rewarder_password=r", [("v", "r")]),
        ("a:1+2?rewarder_password=r", [("openai", "r")]),
        ("a:1+2?password=", [("", "")]),
        ("a:1+2?password=a%2Cb%26%3D%25+%C3%A9=", [("a,b&=%+é=", "a,b&=%+é=")]),
    ],
)
def test_passwords(text: str, passwords: list[tuple[str, str]]) -> None:
    assert [(r.vnc_password, r.rewarder_password) for r in parse_remotes(text)] == passwords


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "address 1 is empty"),
        ("vnc://", "address 1 is empty"),
        ("a:1+2,", "address 2 is empty"),
        ("http://allocator?n=2", "http://"),
        ("localhost", "'localhost' has no port"),
        ("a:1+2,b:0+2", "address 2: port 0"),
        ("a:1+65536", "port 65536"),
        ("a:1+2,b:x+2", r"address 2 \('b:x\+2'\) has 'x' for its VNC port"),
        ("a:1+", "'' for its rewarder port"),
        ("a:+2", "'' for its VNC port"),
        ("a:1+2+3", r"'2\+3' for its rewarder port"),
        ("a:1+-2", "'-2' for its rewarder port"),
        ("a:\u0661", "for its VNC port"),
        ("a:" + "9" * 5000, "for its VNC port"),
        (":1+2", "'' is no host"),
        ("a/b:1+2", "'a/b' is no host"),
        ("bücher:1", "is no host"),
        ("::1:5900", "brackets"),
        ("[::g]:1", "'::g' is no IPv6 address"),
        ("[host]:1", "brackets"),
        ("[::1]5900", "after its ]"),
        ("a:1?password=x,b:2", "address 1 has a password in the middle"),
        ("a:1?pasword=x", "pasword"),
        ("a:1?password", "something else"),
        ("a:1?password=%ff", "not percent-encoded UTF-8"),
        ("a:1?password=x&vnc_password=y", "a second time"),
    ],
)
def test_an_error_names_the_part(text: str, part: str) -> None:
    with pytest.raises(AddressError, match=part):
        parse_remotes(text)


@pytest.mark.parametrize(
    "text",
    ["a:1?password=hunter2,b:2", "a:1?hunter2", "user:hunter2@a:1", "a:1?password=x&hunter2=1"],
)
def test_an_error_shows_no_password(text: str) -> None:
    with pytest.raises(AddressError) as caught:
        parse_remotes(text)
    assert "hunter2" not in str(caught.value)


def test_a_remote_shows_no_password() -> None:
    remote = Remote("h", 5900, 15900, "hunter2", "hunter3", "gym-core-0")
    assert str(remote) == "vnc://h:5900+15900"
    assert "hunter" not in repr(remote)
    assert "gym-core-0" in repr(remote)


@pytest.mark.parametrize(
    ("host", "ports"), [("h", (0, 1)), ("h", (1, 65536)), ("h", (None, None)), ("", (1, 2))]
)
def test_a_remote_is_checked_however_it_is_made(host: str, ports: tuple[int, int]) -> None:
    with pytest.raises(AddressError):
        Remote(host, *ports)


hosts = st.one_of(
    st.text("abcXYZ019.-_", min_size=1, max_size=20),
    st.ip_addresses().map(str),
    st.just("fe80::1%e.0"),
)
ports = st.integers(1, 65535)
remotes = st.one_of(
    st.builds(Remote, hosts, ports, st.none() | ports), st.builds(Remote, hosts, st.none(), ports)
)


@given(st.lists(remotes, min_size=1), st.booleans())
def test_what_is_printed_is_read_back(many: list[Remote], repeat: bool) -> None:
    texts = [str(remote) for remote in many]
    text = ",".join(texts if repeat else [texts[0], *(t.removeprefix("vnc://") for t in texts[1:])])
    assert parse_remotes(text) == many


@given(st.text(st.characters(codec="utf-8"), max_size=20))
def test_any_password_can_be_given(password: str) -> None:
    (remote,) = parse_remotes(f"vnc://h:1+2?password={quote(password, safe='')}")
    assert (remote.vnc_password, remote.rewarder_password) == (password, password)


@given(st.text() | st.text("vnc:/[]+,?&=%@19a. ", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(AddressError):
        for remote in parse_remotes(text):
            assert parse_remotes(str(remote))[0].host == remote.host


def test_ipv6_is_printed_in_brackets() -> None:
    address = str(IPv6Address(1))
    assert str(Remote(address, 1, None)) == "vnc://[::1]:1"
