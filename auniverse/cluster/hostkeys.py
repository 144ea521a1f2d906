"""Which SSH host key a node is trusted by: its own word on the console, or the user's.

A node writes its keys' fingerprints to its console when it boots for the first time, and AWS hands
the console's output to the account's owner alone. Where that says nothing (the output takes some
minutes, and is not kept for ever), the user is asked once; what was trusted is kept in a file.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from auniverse.errors import AuthenticationError, ProvisionError
from auniverse.links import fetch_host_key

#: How cloud-init prints them: "256 SHA256:... root@ip-10-0-0-5 (ED25519)".
_BLOCK = re.compile(
    r"-----BEGIN SSH HOST KEY FINGERPRINTS-----(.*?)-----END SSH HOST KEY FINGERPRINTS-----",
    re.DOTALL,
)
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")

#: Asked whether a key is trusted, with what there is to say about it.
Ask = Callable[[str], bool]


def refuse(question: str) -> bool:
    """Trust nothing: nobody is here to be asked."""
    return False


def console_fingerprints(output: str) -> set[str]:
    """Return the fingerprints that a node's console shows; none if it shows none (yet)."""
    blocks = _BLOCK.findall(output)
    return set(_FINGERPRINT.findall(blocks[-1])) if blocks else set()


class Trust:
    """The host keys that were trusted, in a file of this user.

    Args:
        environ: Says where: XDG_STATE_HOME.
        ask: Asked about keys that nobody vouches for.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ, ask: Ask = refuse) -> None:
        state = environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
        self._path = Path(state) / "auniverse" / "cluster" / "hostkeys.json"
        self._ask = ask

    async def hostkey(
        self, node: str, host: str, port: int, vouched: Callable[[], Awaitable[set[str]]]
    ) -> str:
        """Return the fingerprint by which a node is trusted.

        Args:
            node: What the node is known by for ever, such as an instance's id.
            host: Where its SSH server is asked.
            port: Its port there.
            vouched: Asked for fingerprints that are surely the node's.

        Raises:
            AuthenticationError: It shows another key than the one that is trusted.
            ConnectError: It does not answer.
            ProvisionError: The file cannot be written.
        """
        shown = await fetch_host_key(host, port)
        kept = self._read()
        if node in kept:
            if kept[node] == shown:
                return shown
            raise AuthenticationError(
                f"{node} ({host}) shows the key {shown}, and {kept[node]} is trusted",
                remedy=f"somebody may be in between; if the node was made anew, take its line out "
                f"of {self._path}",
            )
        sure = await vouched()
        if shown not in sure:
            if sure:
                raise AuthenticationError(
                    f"{node} ({host}) shows the key {shown}, which its console does not",
                    remedy="somebody may be in between",
                )
            if not self._ask(
                f"Nobody vouches for the host key of {node} ({host}): {shown}\nIs it the right one?"
            ):
                raise AuthenticationError(
                    f"the host key of {node} ({host}) is not trusted: {shown}",
                    remedy="its console shows it some minutes after it booted; on a terminal you "
                    "are asked; --hostkey says which is right",
                )
        self._write({**kept, node: shown})
        return shown

    def _read(self) -> dict[str, str]:
        try:
            found: dict[str, str] = json.loads(self._path.read_text())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise ProvisionError(f"{self._path} cannot be read: {error}") from error
        return found

    def _write(self, kept: Mapping[str, str]) -> None:
        fresh = self._path.with_name(f"hostkeys.{os.getpid()}")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
            fresh.replace(self._path)
        except OSError as error:
            raise ProvisionError(f"{self._path} cannot be written: {error}") from error
