"""What a text says about remotes to start: `4`, `docker:4`, `swarm+ssh://me@manager/8`.

::

    4                                   containers where there are an engine and the image,
                                        else processes
    process:4, docker:4                 these and nothing else
    swarm:8                             services of the swarm that the engine of DOCKER_HOST manages
    swarm+ssh://me@manager:22/8         of the swarm that this machine manages, reached through SSH
    swarm+tls://manager:2376/8          the same over TLS, with the certificates of DOCKER_CERT_PATH
    swarm:8?constraint=node.role==worker&constraint=node.labels.gpu==yes
                                        only on nodes for which all of this holds
"""

from __future__ import annotations

import re
from typing import NamedTuple

from auniverse.errors import UsageError

_STARTED = re.compile(
    r"(?:(?P<backend>[a-z]+):|swarm\+(?P<manager>(?:ssh|tls)://[^/?\s]+)/)?"
    r"(?P<n>[0-9]{1,6})(?:\?(?P<query>.*))?"
)
_CONSTRAINT = re.compile(r"[A-Za-z0-9._/-]{1,100} ?[!=]= ?[^&\s]{1,100}")


class Started(NamedTuple):
    """Remotes to start.

    Attributes:
        backend: What starts them, such as "docker"; "": whatever can.
        n: How many.
        manager: The manager of a swarm, such as "ssh://me@host:22"; "": the engine's own swarm.
        constraints: Which nodes of a swarm they may be placed on.
    """

    backend: str
    n: int
    manager: str = ""
    constraints: tuple[str, ...] = ()


def read_started(spec: object) -> Started | None:
    """Read how many remotes are to be started, and by what; None: it says nothing of that kind.

    Raises:
        UsageError: What stands after its ? is unknown.
    """
    if isinstance(spec, bool) or not isinstance(spec, int | str):
        return None
    found = _STARTED.fullmatch(str(spec))
    if found is None:
        return None
    backend = "swarm" if found["manager"] else found["backend"] or ""
    return Started(
        backend, int(found["n"]), found["manager"] or "", _constraints(backend, found["query"])
    )


def _constraints(backend: str, query: str | None) -> tuple[str, ...]:
    if query is None:
        return ()
    pairs = [pair.partition("=") for pair in query.split("&")]
    for key, _, value in pairs:
        if backend != "swarm" or key != "constraint" or not _CONSTRAINT.fullmatch(value):
            raise UsageError(
                "after the ? of remotes= stands constraint=, for a swarm: "
                "'swarm:8?constraint=node.role==worker'"
            )
    return tuple(value for _, _, value in pairs)
