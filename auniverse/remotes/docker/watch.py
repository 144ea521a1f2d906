"""What the engine tells about containers as it happens, and what is to be done when it fell silent.

An engine that goes away takes its event stream with it. It is asked again until it answers; what
happened in between is seen by looking at each container.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import aiodocker
import aiohttp

from .container import Container
from .engine import Engine
from .recipe import PREFIX

_log = logging.getLogger(__name__)

#: Seconds between two tries to hear events again; the last repeats.
_PAUSES = (0.1, 0.2, 0.5, 1.0)


async def watch(engine: Engine, owner: str, containers: Mapping[str, Container]) -> None:
    """Tell containers, which are known by their ids, what the engine tells about them; for ever."""
    filters = {"type": ["container"], "label": [f"{PREFIX}owner={owner}"]}
    failures = 0
    while True:
        events: Any = engine.docker.events
        heard = events.subscribe(filters=json.dumps(filters))
        if failures:
            for known in list(containers.values()):
                await known.check()
        while (event := await heard.get()) is not None:
            failures = 0
            if container := containers.get(event["Actor"]["ID"]):
                container.heed(event)
        with suppress(aiodocker.DockerError, aiohttp.ClientError, OSError):
            await events.stop()
        if not failures:
            _log.warning("the engine at %s tells nothing any more", engine.access.url)
        await asyncio.sleep(_PAUSES[min(failures, len(_PAUSES) - 1)])
        failures += 1
