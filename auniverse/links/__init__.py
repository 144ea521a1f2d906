"""Links: thin asyncio shells around the protocol cores, one for pixels and one for rewards.

A link moves bytes between a socket and its core, turns every foreign error into a `RemoteError`
that names the remote, and wakes whoever waits. It knows nothing of episodes, of other links or of
who uses it. Pixels: the core takes them from the socket where it can, else asyncio writes into its
own memory (`asyncio.BufferedProtocol`); it decodes what is whole, and the link asks for the next
update at once. Rewards: websocket text in, events out. A link that fails keeps its `fault`; the
session reads it.
"""

from .commands import Commands
from .forward import forward_path, forward_port
from .knock import knock
from .loop import new_event_loop, run
from .opening import open_vnc
from .rewarder import RewarderLink, open_rewarder
from .ssh import fetch_host_key
from .stopwatch import Stopwatch
from .tunnel import keep_alive
from .vnc import VNCLink
from .wall import WallClock

__all__ = [
    "Commands",
    "RewarderLink",
    "Stopwatch",
    "VNCLink",
    "WallClock",
    "fetch_host_key",
    "forward_path",
    "forward_port",
    "keep_alive",
    "knock",
    "new_event_loop",
    "open_rewarder",
    "open_vnc",
    "run",
]
