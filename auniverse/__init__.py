"""Environments on remote screens: pixels in, keys out, many at once, on asyncio.

Asynchronous: `launch` remotes, `connect` to one as a `Session`, or to many as a `SessionPool`,
which returns `Batch`. Synchronous: `make` a `RemoteEnv` (Gymnasium), `make_vec` a
`RemoteVectorEnv`, or use Universe's own API in `auniverse.classic`. `View` says what is seen.

This door is lazy: a name is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .registration import install

if TYPE_CHECKING:
    import auniverse.classic as classic
    import auniverse.errors as errors
    import auniverse.rewarder as rewarder
    import auniverse.rfb as rfb

    from .address import Remote
    from .env import RemoteEnv, RemoteVectorEnv
    from .env import RemoteEnv as make
    from .env import RemoteVectorEnv as make_vec
    from .remotes import launch
    from .rfb import KeyEvent, PointerEvent
    from .session import Session, connect
    from .vector import Batch, SessionPool, View, attach

__version__ = "0.1.0"

__all__ = [
    "launch",
    "connect",
    "Session",
    "SessionPool",
    "Batch",
    "View",
    "attach",
    "make",
    "make_vec",
    "RemoteEnv",
    "RemoteVectorEnv",
    "Remote",
    "KeyEvent",
    "PointerEvent",
    "classic",
    "errors",
    "rfb",
    "rewarder",
    "__version__",
]

#: Where each name is: a module, or a module and what it is called there.
_PLACES = {
    "launch": ("remotes", "launch"),
    "connect": ("session", "connect"),
    "Session": ("session", "Session"),
    "SessionPool": ("vector", "SessionPool"),
    "Batch": ("vector", "Batch"),
    "View": ("vector", "View"),
    "attach": ("vector", "attach"),
    "make": ("env", "RemoteEnv"),
    "make_vec": ("env", "RemoteVectorEnv"),
    "RemoteEnv": ("env", "RemoteEnv"),
    "RemoteVectorEnv": ("env", "RemoteVectorEnv"),
    "Remote": ("address", "Remote"),
    "KeyEvent": ("rfb", "KeyEvent"),
    "PointerEvent": ("rfb", "PointerEvent"),
    "classic": ("classic", None),
    "errors": ("errors", None),
    "rfb": ("rfb", None),
    "rewarder": ("rewarder", None),
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _PLACES[name]
    found: Any = import_module(f"{__name__}.{module}")
    if attribute is not None:
        found = getattr(found, attribute)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__


install()
