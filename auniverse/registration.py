"""The catalogue's ids, registered with Gymnasium once somebody uses Gymnasium.

Gymnasium has no plug-ins: ids are registered on import. But `import auniverse` shall not import
Gymnasium for those who do without. So `install` registers at once if Gymnasium is there already,
and otherwise leaves a finder in `sys.meta_path`, which registers right after it has been imported.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec
    from types import ModuleType

#: The id under which anything can be made, with `env_id` as an argument.
GENERIC_ID = "auniverse/Remote-v0"


def register_all() -> None:
    """Register every id of the catalogue, and `GENERIC_ID`, with Gymnasium. Twice is once."""
    from gymnasium.envs.registration import register, registry

    from auniverse.runtimes import envs

    for env_id in (GENERIC_ID, *(env.env_id for env in envs())):
        if env_id not in registry:
            register(
                env_id,
                entry_point="auniverse.env:RemoteEnv",
                vector_entry_point="auniverse.env:RemoteVectorEnv",
                nondeterministic=True,
                order_enforce=False,  # it comes out of `make` as it is, so `configure` is there
                disable_env_checker=True,
                kwargs={} if env_id == GENERIC_ID else {"env_id": env_id},
            )


def install() -> None:
    """Register now if Gymnasium is imported, else as soon as it is. Twice is once."""
    gymnasium = sys.modules.get("gymnasium")
    if gymnasium is not None and hasattr(gymnasium, "register"):
        register_all()
    elif not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder:
    """Finds Gymnasium where everybody does, and watches its import."""

    def __init__(self) -> None:
        self._looking = False

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != "gymnasium" or self._looking:
            return None
        self._looking = True
        try:
            spec = find_spec(name)
        finally:
            self._looking = False
        if spec is not None and spec.loader is not None:
            spec.loader = _Watched(spec.loader, self)  # type: ignore[assignment]
        return spec


class _Watched:
    """A loader that does what another one does, and then registers."""

    def __init__(self, loader: Loader, finder: _Finder) -> None:
        self._loader = loader
        self._finder = finder

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        if self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)
        register_all()
