"""Where a remote is: `vnc://host:5900+15900`, one or many.

::

    vnc://a:5900+15900                          screen on port 5900, rewarder on port 15900
    vnc://a:5900                                a screen without a rewarder (no resets, no rewards)
    vnc://a+15900                               a rewarder without a screen (no pixels)
    vnc://[::1]:5900+15900                      IPv6 goes in brackets
    vnc://a:5900+15900,b:5901+15901             many
    vnc://a:5900+15900,vnc://b:5900+15900       the same, repeated form
    vnc://a:5900+15900,b:5901+15901?password=x  `x` (percent-encoded) for all of them
    vnc://a:1+2?password=x,vnc://b:3+4          `x` for `a` alone: a password is for its `vnc://`

The first `vnc://` may be left out. `?vnc_password=` and `?rewarder_password=` set one of the two
passwords alone, joined by `&`. Without a word about them both are `openai`, as in Universe.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from urllib.parse import unquote

from auniverse.errors import AddressError

_FORM = "the form is vnc://host:5900+15900, with commas between many"
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE | re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}")
_ADDRESS = re.compile(
    r"(?:\[(?P<ipv6>[^\[\]]*)\]|(?P<host>[^\[\]:+]*))(?P<vnc>:[^+]*)?(?P<rewarder>\+.*)?", re.DOTALL
)
#: What each word of the query sets.
_PASSWORDS = {
    "password": ("vnc_password", "rewarder_password"),
    "vnc_password": ("vnc_password",),
    "rewarder_password": ("rewarder_password",),
}


@dataclass(frozen=True, slots=True)
class Remote:
    """The address of one remote. It prints itself without its passwords.

    Attributes:
        host: A name, an IPv4 address or an IPv6 address (without brackets).
        vnc_port: The port of the screen, 1 to 65535; None: it has none.
        rewarder_port: The port of the rewarder, 1 to 65535; None: it has none.
        vnc_password: The screen's password; None: none is offered.
        rewarder_password: The rewarder's password; None: none is offered.
        name: What messages call it, such as "gym-core-0"; may be "".

    Raises:
        AddressError: The host is impossible, a port is out of range, or there is no port at all.
    """

    host: str
    vnc_port: int | None
    rewarder_port: int | None
    vnc_password: str | None = field(default="openai", repr=False)
    rewarder_password: str | None = field(default="openai", repr=False)
    name: str = ""

    def __post_init__(self) -> None:
        _check_host(self.host)
        if self.vnc_port is None and self.rewarder_port is None:
            raise AddressError(f"{self.host!r} has no port; {_FORM}")
        for port in (self.vnc_port, self.rewarder_port):
            if port is not None and not 1 <= port <= 65535:
                raise AddressError(f"port {port} of {self.host!r} is not between 1 and 65535")

    def __str__(self) -> str:
        """Return `vnc://host:5900+15900`, which `parse_remotes` reads back."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        vnc = "" if self.vnc_port is None else f":{self.vnc_port}"
        rewarder = "" if self.rewarder_port is None else f"+{self.rewarder_port}"
        return f"vnc://{host}{vnc}{rewarder}"


def parse_remotes(text: str) -> list[Remote]:
    """Read one or many addresses (see the top of this file).

    Args:
        text: Such as `vnc://a:5900+15900,b:5901+15901?password=secret`.

    Returns:
        The remotes in their order, at least one.

    Raises:
        AddressError: It cannot be read. The message names the part, and never a password.
    """
    # Everything from one `vnc://` to the next is one URL, and its query is for all of its hosts.
    urls: list[list[str]] = []
    for part in text.split(","):
        address, scheme_given = _without_scheme(part.strip())
        if scheme_given or not urls:
            urls.append([])
        urls[-1].append(address)
    position = 0
    remotes = []
    for url in urls:
        *others, last = url
        last, _, query = last.partition("?")
        passwords = _parse_query(query)
        for address in (*others, last):
            position += 1
            if "?" in address:
                raise AddressError(
                    f"address {position} has a password in the middle of a list: put it after the "
                    "last address for all, or write vnc:// before each address to give each its own"
                )
            remotes.append(_parse_address(address, position, passwords))
    return remotes


def _without_scheme(part: str) -> tuple[str, bool]:
    found = _SCHEME.match(part)
    if found is None:
        return part, False
    if found[1].lower() != "vnc":
        raise AddressError(f"cannot speak {found[1]}://; {_FORM}")
    return part[found.end() :], True


def _parse_address(address: str, position: int, passwords: dict[str, str]) -> Remote:
    if "@" in address:  # what stands before it may be a password, so it is not shown
        raise AddressError(f"address {position} has an @; a password is given by ?password=")
    if not address:
        raise AddressError(f"address {position} is empty; {_FORM}")
    where = f"address {position} ({address[:300]!r})"
    found = _ADDRESS.fullmatch(address)
    if found is None:
        raise AddressError(f"{where} has something after its ]; {_FORM}")
    host = found["host"] if found["ipv6"] is None else found["ipv6"]
    if found["ipv6"] is not None and ":" not in host:
        raise AddressError(f"{where} has brackets, which are for IPv6 addresses; {_FORM}")
    if found["vnc"] and ":" in found["vnc"][1:]:
        raise AddressError(f"{where} has too many colons; IPv6 goes in brackets: vnc://[::1]:5900")
    vnc_port = _parse_port(found["vnc"], "VNC", where)
    rewarder_port = _parse_port(found["rewarder"], "rewarder", where)
    try:
        return Remote(host, vnc_port, rewarder_port, **passwords)
    except AddressError as error:
        raise AddressError(f"address {position}: {error}") from None


def _parse_port(text: str | None, what: str, where: str) -> int | None:
    if text is None:
        return None
    if not re.fullmatch("[0-9]{1,5}", text[1:]):
        raise AddressError(f"{where} has {text[1:]!r} for its {what} port; {_FORM}")
    return int(text[1:])


def _parse_query(query: str) -> dict[str, str]:
    passwords: dict[str, str] = {}
    for pair in query.split("&") if query else ():
        key, equals, value = pair.partition("=")
        if key not in _PASSWORDS or not equals:
            # A password with an unescaped & or without its key may have landed in `key`.
            known = key if re.fullmatch("[a-z_]{1,20}", key) and equals else "something else"
            raise AddressError(
                f"{known} after the ?; known are {', '.join(f'{name}=' for name in _PASSWORDS)}, "
                "with & between them and percent-encoded values"
            )
        for name in _PASSWORDS[key]:
            if name in passwords:
                raise AddressError(f"{key}= sets {name} a second time")
            try:
                passwords[name] = unquote(value, errors="strict")
            except UnicodeDecodeError:
                raise AddressError(f"the value of {key}= is not percent-encoded UTF-8") from None
    return passwords


def _check_host(host: str) -> None:
    if ":" not in host:
        if not _HOST.fullmatch(host):
            raise AddressError(
                f"{host[:300]!r} is no host; a host is made of letters, digits and . - _, "
                f"or is an IPv6 address in brackets; {_FORM}"
            )
        return
    try:
        IPv6Address(host)
    except ValueError as error:
        raise AddressError(f"{host[:300]!r} is no IPv6 address: {error}") from None
