"""One remote as an environment.

`Session` joins the two links of a remote: pixels and input, rewards and episodes. `Episode` knows
which episode runs and when an observation belongs to it; `Hands` knows what is pressed and when
the remote read it. A session knows nothing of other sessions.
"""

from .connect import connect
from .episode import FIRST_FRAME, Episode
from .hands import Hands, InputEvent
from .pair import Lags
from .session import Info, Observation, Session
from .silence import Silence

__all__ = [
    "FIRST_FRAME",
    "Episode",
    "Hands",
    "Info",
    "InputEvent",
    "Lags",
    "Observation",
    "Session",
    "Silence",
    "connect",
]
