"""Where a remote is, how to get there and whom to trust on the way: `vnc://host:5900+15900`.

::

    vnc://a:5900+15900                          screen on port 5900, rewarder on port 15900
    vnc://a:5900                                a screen without a rewarder (no resets, no rewards)
    vnc://a+15900                               a rewarder without a screen (no pixels)
    vnc://[::1]:5900+15900                      IPv6 goes in brackets
    vnc://a:5900+15900,b:5901+15901             many
    vnc://a:5900+15900,vnc://b:5900+15900       the same, repeated form
    vnc://a:5900+15900,b:5901+15901?password=x  `x` (percent-encoded) for all of them
    vnc://a:1+2?password=x,vnc://b:3+4          `x` for `a` alone: a query is for its `vnc://`

The first `vnc://` may be left out. `?vnc_password=` and `?rewarder_password=` set one of the two
passwords alone, joined by `&`. Without a word about them both are `openai`, as in Universe.
`username=` is for servers that want one.

Other ways than plain TCP::

    vnc+tls://a:5900+15900                  both ports speak TLS from the first byte (rewarder: wss)
    vnc+ws://a:6080+15900/websockify        the screen over a WebSocket, as noVNC has it
    vnc+wss://a:6080+15900/websockify       the same inside TLS, and so is the rewarder
    vnc+ssh://me@jump:22/a:5900+15900       both through an SSH server; `a` is what `jump` calls it

and what is trusted on them::

    ca=/path.pem              the authorities that may sign the server's certificate, instead of
                              the system's
    pin=sha256:<64 hex>       exactly this certificate (colons may be left in): whose name is in it,
                              who signed it and until when it is valid is then all one
    security=x509vnc,vncauth  the RFB security types that are accepted, the preferred one first:
                              none vncauth apple plain x509none x509vnc x509plain tlsnone tlsvnc
                              tlsplain
    hostkey=SHA256:<base64>   the SSH server's key, as `ssh-keygen -l` prints it
    known_hosts=/path         where the SSH server's key is looked up, instead of ~/.ssh/known_hosts
    identity=/path            our key for the SSH server, instead of the agent's and ~/.ssh's

`ca=` or `pin=` alone accept the x509 types and nothing else. Where only x509 types are accepted,
the rewarder is asked over wss with the same trust. Without a word everything is accepted that
Universe's remotes offer, and the x509 types. Never without being named are the `tls` types, whose
TLS has no certificate, and `plain` outside an encrypted way is refused even then.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from ipaddress import IPv6Address
from typing import Any
from urllib.parse import quote, unquote

from auniverse.errors import AddressError

_FORM = "the form is vnc://host:5900+15900, with commas between many"
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE | re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}")
_ADDRESS = re.compile(
    r"(?:\[(?P<ipv6>[^\[\]]*)\]|(?P<host>[^\[\]:+]*))(?P<vnc>:[^+/]*)?(?P<rewarder>\+[^/]*)?"
    r"(?P<path>/.*)?",
    re.DOTALL,
)
#: `user@jump:22/` of an address behind an SSH server.
_JUMP = re.compile(
    r"(?:(?P<user>[^@/:]{1,64})@)?(?:\[(?P<ipv6>[^\[\]@/]*)\]|(?P<host>[^\[\]:@/]*))"
    r"(?::(?P<port>[0-9]{1,5}))?/"
)
_PATH = re.compile(r"/[A-Za-z0-9._~!$&'()*;=:@%/-]{0,500}")
#: What each word of the query sets in a `Remote`.
_CREDENTIALS = {
    "password": ("vnc_password", "rewarder_password"),
    "vnc_password": ("vnc_password",),
    "rewarder_password": ("rewarder_password",),
    "username": ("username",),
}
#: What it sets in its `Route`, in the order in which they are printed.
_TRUST = ("security", "ca", "pin", "hostkey", "known_hosts", "identity")
_OF_SSH = ("jump", "hostkey", "known_hosts", "identity")

_X509 = ("x509vnc", "x509plain", "x509none")
_ANYTHING = ("vncauth", "none", *_X509, "apple")
_SECURITY = frozenset({*_ANYTHING, "plain", "tlsnone", "tlsvnc", "tlsplain"})
_SCHEMES = ("vnc", "vnc+tls", "vnc+ws", "vnc+wss", "vnc+ssh")


@dataclass(frozen=True, slots=True)
class Route:
    """How a remote is reached, and what is trusted on the way (see the top of this file).

    Attributes:
        scheme: "vnc", "vnc+tls", "vnc+ws", "vnc+wss" or "vnc+ssh".
        path: Of the WebSocket, beginning with "/"; "" elsewhere.
        jump: The SSH server as "host:port"; "" elsewhere.
        user: Our name there; None: our name here. Never printed.
        security: The accepted RFB security types by name; () is the default, see `accepted`.
        ca: A file of certificates in PEM; "": the system's authorities.
        pin: "sha256:" and 64 hex digits; "": none.
        hostkey: "SHA256:" and 43 letters; "": known hosts are asked.
        known_hosts: A file; "": the user's own.
        identity: A file with our key; "": the agent's, and the user's own.

    Raises:
        AddressError: Something in it is unknown, or does not belong to the scheme.
    """

    scheme: str = "vnc"
    path: str = ""
    jump: str = ""
    user: str | None = field(default=None, repr=False)
    security: tuple[str, ...] = ()
    ca: str = ""
    pin: str = ""
    hostkey: str = ""
    known_hosts: str = ""
    identity: str = ""

    def __post_init__(self) -> None:
        if self.scheme not in _SCHEMES:
            raise AddressError(f"cannot speak {self.scheme}://; known are {', '.join(_SCHEMES)}")
        if unknown := [name for name in self.security if name not in _SECURITY]:
            known = " ".join(sorted(_SECURITY))
            raise AddressError(f"security={unknown[0][:40]!r} is unknown; known are {known}")
        if "plain" in self.security and not self.encrypted:
            raise AddressError(
                "security=plain would send the password in the clear: it is for vnc+tls, vnc+wss "
                "and vnc+ssh; elsewhere x509plain is what it is inside TLS"
            )
        if self.path and self.scheme not in ("vnc+ws", "vnc+wss"):
            raise AddressError(f"a path belongs to vnc+ws and vnc+wss, not to {self.scheme}")
        if self.path and not _PATH.fullmatch(self.path):
            raise AddressError("the path is too long, or not percent-encoded")
        if (self.scheme == "vnc+ssh") != bool(self.jump):
            raise AddressError(
                "vnc+ssh, and nothing else, has an SSH server: vnc+ssh://jump/host:1"
            )
        if stray := [word for word in _OF_SSH if getattr(self, word) and not self.jump]:
            raise AddressError(f"{stray[0]}= belongs to vnc+ssh, not to {self.scheme}")
        if self.pin and not re.fullmatch("sha256:[0-9a-f]{64}", self.pin):
            raise AddressError("pin= has the form sha256:<64 hex digits>, in small letters")
        if self.hostkey and not re.fullmatch("SHA256:[A-Za-z0-9+/]{43}", self.hostkey):
            raise AddressError("hostkey= has the form SHA256:<43 letters>, as ssh-keygen -l prints")

    @property
    def encrypted(self) -> bool:
        """Whether no byte passes in the clear, whatever RFB agrees on."""
        return self.scheme in ("vnc+tls", "vnc+wss", "vnc+ssh")

    @property
    def accepted(self) -> tuple[str, ...]:
        """The accepted security types, the preferred one first."""
        if self.security:
            return self.security
        if self.encrypted:
            return (*_ANYTHING, "plain")
        return _X509 if self.ca or self.pin else _ANYTHING

    @property
    def rewarder_over_tls(self) -> bool:
        """Whether the rewarder speaks wss: where the screen's TLS has a certificate for sure."""
        return self.scheme in ("vnc+tls", "vnc+wss") or set(self.accepted) <= set(_X509)

    def query(self) -> str:
        """Return `?ca=...&pin=...`, or "" if there is nothing to say."""
        words = {word: quote(getattr(self, word), safe="/:+") for word in _TRUST[1:]}
        words = {"security": ",".join(self.security), **words}
        said = [f"{word}={value}" for word, value in words.items() if value]
        return f"?{'&'.join(said)}" if said else ""


@dataclass(frozen=True, slots=True)
class Remote:
    """The address of one remote. It prints itself without its passwords and user names.

    Attributes:
        host: A name, an IPv4 address or an IPv6 address (without brackets).
        vnc_port: The port of the screen, 1 to 65535; None: it has none.
        rewarder_port: The port of the rewarder, 1 to 65535; None: it has none.
        vnc_password: The screen's password; None: none is offered.
        rewarder_password: The rewarder's password; None: none is offered.
        name: What messages call it, such as "gym-core-0"; may be "".
        username: For security types that want one; None: none is offered.
        route: How it is reached, and what is trusted on the way.

    Raises:
        AddressError: The host is impossible, a port is out of range, or there is no port at all.
    """

    host: str
    vnc_port: int | None
    rewarder_port: int | None
    vnc_password: str | None = field(default="openai", repr=False)
    rewarder_password: str | None = field(default="openai", repr=False)
    name: str = ""
    username: str | None = field(default=None, repr=False)
    route: Route = Route()

    def __post_init__(self) -> None:
        _check_host(self.host)
        if self.vnc_port is None and self.rewarder_port is None:
            raise AddressError(f"{self.host!r} has no port; {_FORM}")
        for port in (self.vnc_port, self.rewarder_port):
            if port is not None and not 1 <= port <= 65535:
                raise AddressError(f"port {port} of {self.host!r} is not between 1 and 65535")

    def __str__(self) -> str:
        """Return `vnc://host:5900+15900`, which `parse_remotes` reads back."""
        route = self.route
        host = f"[{self.host}]" if ":" in self.host else self.host
        jump = f"{route.jump}/" if route.jump else ""
        vnc = "" if self.vnc_port is None else f":{self.vnc_port}"
        rewarder = "" if self.rewarder_port is None else f"+{self.rewarder_port}"
        return f"{route.scheme}://{jump}{host}{vnc}{rewarder}{route.path}{route.query()}"


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
    urls: list[tuple[str, list[str]]] = []
    for part in text.split(","):
        address, scheme = _without_scheme(part.strip())
        if scheme or not urls:
            urls.append((scheme or "vnc", [address]))
        elif address.partition("&")[0] in _SECURITY and "security=" in urls[-1][1][-1]:
            urls[-1][1][-1] += f",{address}"  # no address lacks a port: the list of types goes on
        else:
            urls[-1][1].append(address)
    position = 0
    remotes = []
    for scheme, (first, *more) in urls:
        route: dict[str, Any] = {"scheme": scheme}
        if scheme == "vnc+ssh":
            first = _parse_jump(first, position + 1, route)
        *others, last = (first, *more)
        last, _, query = last.partition("?")
        credentials = _parse_query(query, route)
        for address in (*others, last):
            position += 1
            if "?" in address:
                raise AddressError(
                    f"address {position} has a password in the middle of a list: put it after the "
                    "last address for all, or write vnc:// before each address to give each its own"
                )
            remotes.append(_parse_address(address, position, credentials, route))
    return remotes


def pin_of(certificate: bytes) -> str:
    """Return what `pin=` says of a certificate in DER: "sha256:" and 64 hex digits."""
    return f"sha256:{sha256(certificate).hexdigest()}"


def _without_scheme(part: str) -> tuple[str, str]:
    found = _SCHEME.match(part)
    if found is None:
        return part, ""
    if found[1].lower() not in _SCHEMES:
        raise AddressError(f"cannot speak {found[1]}://; {_FORM}; known are {', '.join(_SCHEMES)}")
    return part[found.end() :], found[1].lower()


def _parse_jump(address: str, position: int, route: dict[str, Any]) -> str:
    """Read `user@jump:22/` into `route`; return what stands behind it."""
    found = _JUMP.match(address)
    if found is None:  # what stands before an @ may hold a password, so it is not shown
        raise AddressError(
            f"address {position} does not begin with user@jump/ or jump/, as in "
            "vnc+ssh://me@jump:22/host:5900; a password has no place there: SSH takes keys"
        )
    host = found["host"] if found["ipv6"] is None else found["ipv6"]
    _check_host(host)
    shown = f"[{host}]" if ":" in host else host
    port = int(found["port"] or 22)
    if not 1 <= port <= 65535:
        raise AddressError(f"port {port} of {shown!r} is not between 1 and 65535")
    route["jump"] = f"{shown}:{port}"
    route["user"] = found["user"]
    return address[found.end() :]


def _parse_address(
    address: str, position: int, credentials: dict[str, Any], words: dict[str, Any]
) -> Remote:
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
        route = Route(**{**words, "path": found["path"] or ""})
        return Remote(host, vnc_port, rewarder_port, **credentials, route=route)
    except AddressError as error:
        raise AddressError(f"address {position}: {error}") from None


def _parse_port(text: str | None, what: str, where: str) -> int | None:
    if text is None:
        return None
    if not re.fullmatch("[0-9]{1,5}", text[1:]):
        raise AddressError(f"{where} has {text[1:]!r} for its {what} port; {_FORM}")
    return int(text[1:])


def _parse_query(query: str, route: dict[str, Any]) -> dict[str, str]:
    """Read what stands after the "?": words of trust into `route`, credentials are returned."""
    credentials: dict[str, str] = {}
    for pair in query.split("&") if query else ():
        key, equals, value = pair.partition("=")
        if (key not in _CREDENTIALS and key not in _TRUST) or not equals:
            # A password with an unescaped & or without its key may have landed in `key`.
            known = key if re.fullmatch("[a-z_]{1,20}", key) and equals else "something else"
            words = ", ".join(f"{name}=" for name in (*_CREDENTIALS, *_TRUST))
            raise AddressError(
                f"{known} after the ?; known are {words}, "
                "with & between them and percent-encoded values"
            )
        try:
            plain = unquote(value, errors="strict")
        except UnicodeDecodeError:
            raise AddressError(f"the value of {key}= is not percent-encoded UTF-8") from None
        for name in _CREDENTIALS.get(key, (key,)):
            if name in credentials or name in route:
                raise AddressError(f"{key}= sets {name} a second time")
            if key in _TRUST:
                if not plain or not plain.isprintable():
                    raise AddressError(f"{key}= has no value, or one that cannot be printed")
                route[name] = _READ.get(key, str)(plain)
            else:
                credentials[name] = plain
    return credentials


def _small_pin(pin: str) -> str:
    """Return a pin as it is compared: `openssl x509 -fingerprint` prints AB:CD:..."""
    kind, _, digits = pin.lower().partition(":")
    return f"{kind}:{digits.replace(':', '')}"


def _names(security: str) -> tuple[str, ...]:
    return tuple(security.lower().split(","))


_READ: dict[str, Callable[[str], Any]] = {"pin": _small_pin, "security": _names}


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
