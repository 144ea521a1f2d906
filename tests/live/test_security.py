"""Every security type that TigerVNC, x11vnc, TightVNC and QEMU have, against those servers.

A type counts as spoken once the screen has come through it. Where a type has a password or a user
name, the wrong ones are refused by the server, and by nothing before it.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from auniverse.address import Route
from auniverse.errors import AuthenticationError, ConnectionLostError
from auniverse.links import open_vnc
from auniverse.rfb import SECURITY_NAMES
from tests.certificates import Authority
from tests.servers import PASSWORD, qemu, tightvnc, x11vnc
from tests.tigervnc import free_port, tigervnc

PLAYER = "player"
PAM = Path("/etc/pam.d")
#: x11vnc asks OpenSSL for ciphers without certificates, which its usual level of security hides.
LOW_SECURITY = """
openssl_conf = openssl
[openssl]
ssl_conf = ssl
[ssl]
system_default = all
[all]
CipherString = ALL:@SECLEVEL=0
"""


@dataclass
class Trust:
    """What servers show, and where they keep what they know."""

    folder: Path
    authority: Authority
    shown: object

    def programs(self):
        """Write what judges a user name and a password: once for PAM, once for x11vnc."""
        judge = self.folder / "judge"
        judge.write_text(f'#!/bin/sh\n[ "$1 $2" = "{PLAYER} {PASSWORD}" ]\n')
        pam, lines = self.folder / "pam", self.folder / "lines"
        pam.write_text(f'#!/bin/sh\nexec {judge} "$PAM_USER" "$(tr -d "\\000")"\n')
        lines.write_text(f'#!/bin/sh\nread -r user\nread -r word\nexec {judge} "$user" "$word"\n')
        for program in (judge, pam, lines):
            program.chmod(0o755)
        return pam, lines


@pytest.fixture
def trust(tmp_path):
    authority = Authority(tmp_path)
    return Trust(tmp_path, authority, authority.sign(old=True))


def asked(remote, kind, trust):
    """Return a remote of which one kind of security is accepted, and who plays there."""
    pin = trust.shown.pin if kind.startswith("x509") else ""
    who = PLAYER if kind.endswith("plain") else None
    route = Route(security=(kind,), pin=pin)
    return replace(remote, username=who, vnc_password=PASSWORD, route=route)


async def seen(remote):
    """Open a link, see the whole screen through it; return what was agreed on."""
    arrived = asyncio.Event()
    link = await open_vnc(remote, wake=arrived.set)
    try:
        async with asyncio.timeout(20):
            while not link.refreshed:
                assert link.fault is None, link.fault
                arrived.clear()
                await arrived.wait()
        return link.connection.security
    finally:
        await link.close()


async def judged(remote, kind, trust, doubts=2):
    """See the screen by one kind of security; be refused with what is wrong (so many tries)."""
    right = asked(remote, kind, trust)
    assert await seen(right) is SECURITY_NAMES[kind]
    wrong = [replace(right, vnc_password="guessed1")] if not kind.endswith("none") else []
    if kind.endswith("plain"):
        wrong.append(replace(right, username="nobody-7"))
    for one in wrong[:doubts]:
        # x11vnc hangs up on a user that it does not know, without a word.
        with pytest.raises((AuthenticationError, ConnectionLostError)) as caught:
            await open_vnc(one)
        assert not {"guessed1", "nobody-7", PASSWORD} & set(str(caught.value).split())
        if isinstance(caught.value, AuthenticationError):
            assert "refuses us" in str(caught.value)


@pytest.fixture
def pam_service(trust):
    """A service of PAM's that knows one player; PAM reads it from one place only."""
    if not os.access(PAM, os.W_OK):
        pytest.skip("only root may tell PAM of another service")
    trust.folder.chmod(0o755)
    pam, _ = trust.programs()
    service = PAM / f"auniverse-test-{os.getpid()}"
    service.write_text(
        f"auth required pam_exec.so quiet expose_authtok {pam}\naccount required pam_permit.so\n"
    )
    yield service.name
    service.unlink()


@asynccontextmanager
async def xtigervnc(trust, kind, *options):
    files = ("-X509Cert", str(trust.shown.cert), "-X509Key", str(trust.shown.key))
    security = ("-SecurityTypes", kind, "-UseBlacklist", "0", *files, *options)
    async with tigervnc(trust.folder, "160x120", PASSWORD, security=security) as (remote, _):
        yield remote


@pytest.mark.apt
@pytest.mark.parametrize("kind", ["None", "VncAuth", "TLSNone", "TLSVnc", "X509None", "X509Vnc"])
def test_tigervnc(trust, kind):
    async def main():
        async with xtigervnc(trust, kind) as remote:
            await judged(remote, kind.lower(), trust)

    asyncio.run(main())


@pytest.mark.apt
@pytest.mark.parametrize("kind", ["TLSPlain", "X509Plain"])
def test_tigervnc_with_user_names_that_pam_judges(trust, pam_service, kind):
    async def main():
        async with xtigervnc(
            trust, kind, "-PAMService", pam_service, "-PlainUsers", f"{PLAYER},nobody-7"
        ) as remote:
            await judged(remote, kind.lower(), trust)

    asyncio.run(main())


@pytest.mark.apt
def test_tigervnc_with_a_user_name_in_an_encrypted_way_only(trust, pam_service):
    """Plain would show the password to all on the way: the way itself must hide it."""
    from tests.jumps import jump

    async def main():
        options = ("-PAMService", pam_service, "-PlainUsers", PLAYER)
        async with xtigervnc(trust, "Plain", *options) as remote, jump(trust.folder) as ssh:
            route, fingerprint, _ = ssh
            remote = replace(remote, username=PLAYER, vnc_password=PASSWORD)
            hidden = replace(remote, route=route(hostkey=fingerprint))
            assert await seen(hidden) is SECURITY_NAMES["plain"]
            with pytest.raises(AuthenticationError, match="refuses us"):
                await open_vnc(replace(hidden, vnc_password="guessed1"))
            with pytest.raises(AuthenticationError, match="it offers plain; accepted"):
                await open_vnc(remote)

    asyncio.run(main())


@pytest.mark.apt
def test_x11vnc(trust):
    """libvncserver's two types, and what x11vnc has of its own: VeNCrypt, and TLS around it all."""
    both = trust.folder / "both.pem"
    both.write_bytes(trust.shown.key.read_bytes() + trust.shown.cert.read_bytes())
    (trust.folder / "low.cnf").write_text(LOW_SECURITY)
    low = {**os.environ, "OPENSSL_CONF": str(trust.folder / "low.cnf")}
    _, lines = trust.programs()
    passwords = ("-rfbauth", str(trust.folder / "passwords"))
    tls = ("-ssl", str(both), "-vencrypt", "plain:support")
    named = ("-unixpw_cmd", str(lines), *tls)
    cases = (
        ("none", ("-nopw",)),
        ("vncauth", passwords),
        *((kind, ("-nopw", *tls)) for kind in ("tlsnone", "x509none", "tls")),
        *((kind, (*passwords, *tls)) for kind in ("tlsvnc", "x509vnc")),
        *((kind, named) for kind in ("tlsplain", "x509plain")),
    )

    async def one(kind, options):
        async with x11vnc(trust.folder, "160x120", security=options, env=low) as (remote, _):
            if kind == "tls":
                inside = replace(remote, route=Route("vnc+tls", pin=trust.shown.pin))
                assert await seen(inside) is SECURITY_NAMES["none"]
            else:  # inside TLS it takes seconds to doubt somebody
                await judged(remote, kind, trust, doubts=not kind.startswith("tls"))

    async def main():
        await asyncio.gather(*(one(*case) for case in cases))  # each takes its seconds, waiting

    asyncio.run(main())


@pytest.mark.apt
@pytest.mark.parametrize("password", [False, True])
def test_tightvnc(trust, password):
    async def main():
        async with tightvnc(trust.folder, "160x120", password=password) as (remote, _):
            await judged(remote, "vncauth" if password else "none", trust)

    asyncio.run(main())


@pytest.mark.apt
def test_qemu(trust):
    """QEMU has TLS with and without certificates, and websockets, inside TLS or not."""
    for name, file in (
        ("ca-cert.pem", trust.authority.ca),
        ("server-cert.pem", trust.shown.cert),
        ("server-key.pem", trust.shown.key),
    ):
        shutil.copy(file, trust.folder / name)
    (trust.folder / "secret").write_text(PASSWORD)
    secret = ("-object", f"secret,id=word,file={trust.folder}/secret")
    x509 = ("-object", f"tls-creds-x509,id=tls,endpoint=server,verify-peer=off,dir={trust.folder}")
    anonymous = ("-object", "tls-creds-anon,id=tls,endpoint=server")
    word, tls = ",password-secret=word", ",tls-creds=tls"
    cases = (
        ((), "", "none"),
        (secret, word, "vncauth"),
        (anonymous, tls, "tlsnone"),
        ((*anonymous, *secret), tls + word, "tlsvnc"),
        (x509, tls, "x509none"),
        ((*x509, *secret), tls + word, "x509vnc"),
        ((), "", "vnc+ws"),
        ((*x509, *secret), tls + word, "vnc+wss"),
    )

    async def one(options, screen, kind):
        folder = trust.folder / kind
        folder.mkdir()
        port = free_port()
        if "ws" in kind:
            screen += f",websocket=127.0.0.1:{port}"
        async with qemu(folder, False, *options, screen=screen) as (remote, _):
            if "ws" not in kind:
                await judged(remote, kind, trust)
                return
            route = Route(kind, pin=trust.shown.pin if kind == "vnc+wss" else "")
            remote = replace(remote, vnc_port=port, vnc_password=PASSWORD, route=route)
            inside = "vncauth" if word in screen else "none"
            assert await seen(remote) is SECURITY_NAMES[inside]

    async def main():
        await asyncio.gather(*(one(*case) for case in cases))

    asyncio.run(main())
