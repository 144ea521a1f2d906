"""A host key is trusted for a reason, and nothing else is."""

import asyncio
from pathlib import Path

import pytest

from auniverse.cluster import Trust, hostkeys
from auniverse.cluster.hostkeys import console_fingerprints
from auniverse.errors import AuthenticationError, ProvisionError

GOOD, OTHER = "SHA256:" + "a" * 43, "SHA256:" + "b" * 43
CONSOLE = f"""
[   12.1] cloud-init[2180]: Cloud-init v. 22.2.2 finished
ci-info: no authorized SSH keys fingerprints found for user admin.
<14>Nov 22 12:00:00 cloud-init: #############################################################
<14>Nov 22 12:00:00 cloud-init: -----BEGIN SSH HOST KEY FINGERPRINTS-----
<14>Nov 22 12:00:00 cloud-init: 256 {OTHER} root@ip-10-0-0-5 (ECDSA)
<14>Nov 22 12:00:00 cloud-init: 256 {GOOD} root@ip-10-0-0-5 (ED25519)
<14>Nov 22 12:00:00 cloud-init: -----END SSH HOST KEY FINGERPRINTS-----
-----BEGIN SSH HOST KEY KEYS-----
"""


def test_a_console_is_read() -> None:
    assert console_fingerprints(CONSOLE) == {GOOD, OTHER}
    assert console_fingerprints(CONSOLE.replace("END SSH HOST KEY FING", "")) == set()
    assert console_fingerprints(f"256 {GOOD} somewhere else") == set()
    assert console_fingerprints("") == set()


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the server shows: the last of these."""
    keys = [GOOD]

    async def fetch(host: str, port: int) -> str:
        return keys[-1]

    monkeypatch.setattr(hostkeys, "fetch_host_key", fetch)
    return keys


def key(trust: Trust, *vouched: str) -> str:
    async def vouch() -> set[str]:
        return set(vouched)

    return asyncio.run(trust.hostkey("i-1", "192.0.2.1", 22, vouch))


def test_the_console_vouches_and_what_was_trusted_is_kept(shown: list[str], tmp_path: Path) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path)}
    assert key(Trust(environ), GOOD, OTHER) == GOOD
    assert key(Trust(environ)) == GOOD, "nobody is asked again"
    shown.append(OTHER)
    with pytest.raises(AuthenticationError, match=f"{OTHER}, and {GOOD} is trusted.*in between"):
        key(Trust(environ), OTHER)


def test_another_key_than_the_consoles_is_not_even_asked_about(
    shown: list[str], tmp_path: Path
) -> None:
    asked: list[str] = []
    trust = Trust({"XDG_STATE_HOME": str(tmp_path)}, lambda text: bool(asked.append(text)) or True)
    with pytest.raises(AuthenticationError, match="which its console does not"):
        key(trust, OTHER)
    assert asked == []


def test_without_a_console_somebody_is_asked_once(shown: list[str], tmp_path: Path) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path)}
    with pytest.raises(AuthenticationError, match=f"is not trusted: {GOOD}.*--hostkey"):
        key(Trust(environ))
    asked: list[str] = []
    assert key(Trust(environ, lambda text: bool(asked.append(text)) or True)) == GOOD
    assert GOOD in asked[0]
    assert key(Trust(environ)) == GOOD


def test_a_file_that_cannot_be_used_is_told(shown: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "auniverse" / "cluster"
    folder.mkdir(parents=True)
    (folder / "hostkeys.json").write_text("nonsense")
    with pytest.raises(ProvisionError, match=r"hostkeys.json cannot be read"):
        key(Trust({"XDG_STATE_HOME": str(tmp_path)}), GOOD)
    (tmp_path / "file").write_text("")
    with pytest.raises(ProvisionError, match="cannot be"):
        key(Trust({"XDG_STATE_HOME": str(tmp_path / "file")}), GOOD)
