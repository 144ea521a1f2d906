"""Remotes as Gymnasium environments, one or many, for programs that do not know asyncio.

`RemoteEnv` is a `gymnasium.Env`, `RemoteVectorEnv` a `gymnasium.vector.VectorEnv`. Both stand on
`Slots`: a pool of sessions behind a `Portal`, acquired when it is first needed.
"""

from .infos import info_of
from .options import Options
from .single import RemoteEnv
from .slots import Slots
from .vectorized import RemoteVectorEnv

__all__ = ["Options", "RemoteEnv", "RemoteVectorEnv", "Slots", "info_of"]
