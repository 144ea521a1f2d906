"""From an address to a session."""

from __future__ import annotations

from typing import Any

from auniverse.address import Remote, parse_remotes
from auniverse.errors import UsageError

from .session import Session


def connect(address: str | Remote, **options: Any) -> Session:
    """Return the session of one remote, to be used with `async with`.

    Args:
        address: `vnc://host:5900+15900`, or a `Remote`.
        options: See `Session`.

    Raises:
        AddressError: The address cannot be read.
        UsageError: It names several remotes.
    """
    remotes = [address] if isinstance(address, Remote) else parse_remotes(address)
    if len(remotes) != 1:
        raise UsageError(f"connect takes one remote, {address!r} names {len(remotes)}")
    return Session(remotes[0], **options)
