"""The far side: programs that others watch over VNC and are rewarded by over a websocket.

A wing of its own: the client never imports it. `serve` runs one remote in this process;
`python -m auniverse.host` is the same as a process.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .certificate import Certificate
    from .host import Host
    from .program import Metadata, Outcome, Picture, Program
    from .serving import serve
    from .stage import ProgramFailed

# Imported on first use: a command line that only wants to know the names pays for no NumPy.
_HOMES = {
    "serve": ".serving",
    "Host": ".host",
    "Certificate": ".certificate",
    "Program": ".program",
    "Metadata": ".program",
    "Outcome": ".program",
    "Picture": ".program",
    "ProgramFailed": ".stage",
}

__all__ = [
    "serve",
    "Host",
    "Certificate",
    "Program",
    "Metadata",
    "Outcome",
    "Picture",
    "ProgramFailed",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name], __name__), name)
