"""One pool in several processes.

Theory of operation. The slots are shared out among workers, each a process with one event loop and
an ordinary pool on its part of the remotes (`share`). The pool in front (`Crew`) has no session: it
checks what the agent says, passes it on as orders, and collects answers. `send` and `recv` in one
turn of the loop are one message to each worker, and one comes back: a worker waits by itself for
what is asked of it. Pixels never travel: every worker writes the rows of its slots into a block of
memory that all of them share (`memory`), and `recv` hands that out.

A worker is held on a leash, its standard input: it ends with its parent, however that ended. A
worker that is lost is a fault of each of its slots, a `WorkerLostError`, and is started again, with
pauses and a budget, as any remote is. What keeps the remotes running stays in the parent; a worker
that wants one replaced asks it (`fleet`).

Past one machine a worker is a Ray actor (`ray`): orders are calls, answers bring the pixels with
them, and the actor keeps its own remotes.
"""

from .crew import Crew
from .ray import RayPool

__all__ = ["Crew", "RayPool"]
