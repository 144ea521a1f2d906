from __future__ import annotations

import contextlib
from dataclasses import replace
from ipaddress import IPv6Address
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auniverse.address import Remote, Route, parse_remotes, pin_of
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


PIN = "sha256:" + "0a" * 32
KEY = "SHA256:" + "Aa+/" * 10 + "xyz"
X509 = ("x509vnc", "x509plain", "x509none")


def test_a_pin_is_a_hash_of_the_whole_certificate() -> None:
    """The digits are those of `printf abc | sha256sum` (FIPS 180-2, B.1)."""
    pin = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert pin_of(b"abc") == pin
    assert Route(pin=pin).query() == f"?pin={pin}"


@pytest.mark.parametrize(
    ("text", "route"),
    [
        ("vnc+tls://a:1+2", Route("vnc+tls")),
        ("VNC+TLS://a:1+2?ca=/x%2Cy/ca.pem", Route("vnc+tls", ca="/x,y/ca.pem")),
        ("vnc+ws://a:1+2/web/sockify", Route("vnc+ws", path="/web/sockify")),
        ("vnc+wss://[::1]:1/x", Route("vnc+wss", path="/x")),
        ("vnc+ssh://me@jump/a:1+2", Route("vnc+ssh", jump="jump:22", user="me")),
        ("vnc+ssh://jump:2222/[::1]:1", Route("vnc+ssh", jump="jump:2222")),
        ("vnc+ssh://me@[::1]:7/a:1", Route("vnc+ssh", jump="[::1]:7", user="me")),
        (f"vnc+ssh://j/a:1?hostkey={KEY}", Route("vnc+ssh", jump="j:22", hostkey=KEY)),
        (
            "vnc+ssh://j/a:1?known_hosts=/k&identity=~/i",
            Route("vnc+ssh", jump="j:22", known_hosts="/k", identity="~/i"),
        ),
        (f"a:1?pin={PIN}", Route(pin=PIN)),
        (f"a:1?pin=SHA256:{':'.join(['0A'] * 32)}", Route(pin=PIN)),
        ("a:1?security=x509vnc,vncauth", Route(security=("x509vnc", "vncauth"))),
        (
            f"a:1?security=X509Vnc,none,tlsnone&pin={PIN}&password=x",
            Route(security=("x509vnc", "none", "tlsnone"), pin=PIN),
        ),
        ("vnc+tls://a:1?security=plain", Route("vnc+tls", security=("plain",))),
    ],
)
def test_routes(text: str, route: Route) -> None:
    (remote,) = parse_remotes(text)
    assert remote.route == route
    assert remote.vnc_port == 1
    (again,) = parse_remotes(str(remote))
    assert replace(again.route, user=route.user) == route


def test_a_route_is_for_all_of_its_url() -> None:
    text = "vnc+ssh://me@j/a:1,b:2?security=vncauth,none&ca=/c,vnc://c:3,d:4"
    a, b, c, d = parse_remotes(text)
    wanted = Route("vnc+ssh", jump="j:22", user="me", security=("vncauth", "none"), ca="/c")
    assert (a.host, b.host, c.host, d.host) == ("a", "b", "c", "d")
    assert a.route == b.route == wanted
    assert c.route == d.route == Route()


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("vnc+http://a:1", r"cannot speak vnc\+http://"),
        ("a:1/path", "a path belongs to vnc.ws"),
        ("vnc+ws://a:1/p q", "percent-encoded"),
        ("vnc+ssh://a:1", "does not begin with user@jump/"),
        ("vnc+ssh://:1/a:1", "'' is no host"),
        ("vnc+ssh://j:0/a:1", "port 0"),
        ("vnc+ssh://me@j/a", "has no port"),
        (f"a:1?hostkey={KEY}", "hostkey= belongs to vnc.ssh"),
        ("a:1?pin=sha256:1234", "64 hex digits"),
        ("a:1?pin=md5:1234", "64 hex digits"),
        ("vnc+ssh://j/a:1?hostkey=SHA256:x", "43 letters"),
        ("a:1?security=x509", "'x509' is unknown; known are"),
        ("a:1?security=plain", "in the clear"),
        ("a:1?security=", "has no value"),
        ("a:1?ca=%00", "cannot be printed"),
        ("a:1?ca=/a&ca=/b", "a second time"),
        ("a:1?security=none,b:2", "in the middle of a list|x509"),
    ],
)
def test_an_error_names_the_part_of_the_route(text: str, part: str) -> None:
    with pytest.raises(AddressError, match=part):
        parse_remotes(text)


@pytest.mark.parametrize(
    ("text", "accepted", "over_tls"),
    [
        ("a:1", ("vncauth", "none", *X509, "apple"), False),
        ("a:1?ca=/c", X509, True),
        (f"a:1?pin={PIN}", X509, True),
        ("vnc+ws://a:1?ca=/c", X509, True),
        ("a:1?security=x509none", ("x509none",), True),
        ("a:1?security=x509vnc,vncauth&ca=/c", ("x509vnc", "vncauth"), False),
        ("a:1?security=tlsvnc", ("tlsvnc",), False),
        ("vnc+tls://a:1", ("vncauth", "none", *X509, "apple", "plain"), True),
        ("vnc+wss://a:1?security=vncauth", ("vncauth",), True),
        ("vnc+ssh://j/a:1", ("vncauth", "none", *X509, "apple", "plain"), False),
    ],
)
def test_what_an_address_accepts(text: str, accepted: tuple[str, ...], over_tls: bool) -> None:
    (remote,) = parse_remotes(text)
    assert remote.route.accepted == accepted
    assert remote.route.rewarder_over_tls == over_tls


def test_user_names_are_read_and_never_shown() -> None:
    (remote,) = parse_remotes("vnc+ssh://hunter2@j/a:1?username=hunter3&password=hunter4")
    assert (remote.route.user, remote.username, remote.vnc_password) == (
        *("hunter2", "hunter3", "hunter4"),
    )
    assert "hunter" not in f"{remote} {remote!r}"
    with pytest.raises(AddressError) as caught:
        parse_remotes("vnc+ssh://me:hunter5@j/a:1")
    assert "hunter" not in str(caught.value)


@pytest.mark.parametrize(
    "wrong", [{"scheme": "http"}, {"jump": "j:22"}, {"scheme": "vnc+ssh"}, {"pin": "sha256:"}]
)
def test_a_route_is_checked_however_it_is_made(wrong: dict[str, str]) -> None:
    with pytest.raises(AddressError):
        Route(**wrong)  # type: ignore[arg-type]


files = st.text("ab/ ,&%+?#é", min_size=1, max_size=8)
routes = st.one_of(
    st.builds(Route, st.sampled_from(["vnc", "vnc+tls"]), ca=st.just("") | files),
    st.builds(Route, st.just("vnc+wss"), st.sampled_from(["", "/", "/a/b%2C"]), ca=files),
    st.builds(
        Route,
        st.just("vnc+ssh"),
        jump=st.sampled_from(["j:22", "[::1]:1"]),
        identity=files,
        known_hosts=st.just("") | files,
        hostkey=st.sampled_from(["", KEY]),
        pin=st.sampled_from(["", PIN]),
        security=st.lists(st.sampled_from(["plain", "none", *X509]), unique=True).map(tuple),
    ),
)


@given(routes)
def test_a_route_that_is_printed_is_read_back(route: Route) -> None:
    remotes = [Remote("h", 1, 2, route=route), Remote("i", 3, None, route=route)]
    assert parse_remotes(",".join(map(str, remotes))) == remotes


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
