"""What can be said about an environment on remotes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from auniverse.acquire import Spec, check_fps, default_spec
from auniverse.errors import UsageError
from auniverse.runtimes import with_settings
from auniverse.spaces import Preset
from auniverse.vector import View

_SIZE = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})")


@dataclass(frozen=True, slots=True)
class Options:
    """The options of `RemoteEnv` and `RemoteVectorEnv`; all may be given by keyword.

    Attributes:
        env_id: What to play, such as "gym-core.Pong-v5"; None: what the remotes run.
        remotes: How many to start (4, "docker:4", "process:4"), the addresses of running ones
            ("vnc://host:5900+15900,..."), or a list of `Remote`. None: what the environment
            variable GYM_VNC_REMOTES says, else as many as needed are started.
        actions: What actions are: "discrete", "keys", "pointer", "switches", "events", or your own
            (`auniverse.spaces.PRESETS`); "default" takes the first that fits.
        fps: Steps a second; "default": the environment's own; `math.inf`: never wait, take the
            newest frame; None: wait until something arrives.
        lockstep: One step, one frame, and the remote stands still in between; the same seed then
            gives the same episode.
        screen: The size of the screen in pixels, "1024x768" or (1024, 768); "native": the
            remote's own, which is known when it is there.
        view: What is seen of the screen: a part, smaller, grey, stacked (`auniverse.View`, or a
            dict of what it takes); None: all of it.
        shared_memory: Whether observations are in memory that other processes can attach to.
        text: Whether the text of the task is part of the observation; None: if there is one.
        render_mode: "rgb_array", "human" (a window; `RemoteEnv` only) or None.
        client_id: Whose remotes they are: containers go on when this process ends, and the next
            one with the same id takes them again; processes are not kept.
        docker_image: Takes the place of the runtime's image; containers only.
        start_timeout: Seconds for the remotes to boot and to answer; None: 60 and 10.
        reset_timeout: Seconds until a new episode must have shown its first frame; None: 60.
        vnc_kwargs: `encoding` and `compress_level` of the pictures, instead of `link`.
        link: "local", "lan" or "wan": how far away the remotes are.
        workers: So many processes that receive and decode; None: this one does.
        silence: Seconds without any answer after which a remote counts as lost; None: never.
        retries: Losses in a row that a remote may have before it is given up.
        on_exhausted: What then comes: "drop" goes on without it, "raise" raises a `RemoteError`.
    """

    env_id: str | None = None
    remotes: Spec | None = None
    actions: str | Preset = "default"
    fps: float | str | None = "default"
    lockstep: bool = False
    screen: str | tuple[int, int] = "1024x768"
    view: View | None = None
    shared_memory: bool = False
    text: bool | None = None
    render_mode: str | None = None
    client_id: str | None = None
    docker_image: str | None = None
    start_timeout: float | None = None
    reset_timeout: float | None = None
    vnc_kwargs: Mapping[str, Any] | None = None
    link: str = "local"
    workers: int | None = None
    silence: float | None = 5.0
    retries: int = 5
    on_exhausted: str = "drop"

    def __post_init__(self) -> None:
        if self.screen != "native" and self.size is None:
            raise UsageError(
                f"screen={self.screen!r}: a size such as '1024x768' or (1024, 768), or 'native'"
            )
        check_fps(self.fps)
        if isinstance(self.view, Mapping):  # as text formats and command lines have it
            object.__setattr__(self, "view", View(**self.view))

    @classmethod
    def read(cls, env_id: str | None, remotes: Spec | None, said: Mapping[str, Any]) -> Self:
        """Make options of what a caller said; settings of the environment become part of its id.

        Raises:
            UsageError: An option is wrong, or it is neither an option nor a setting.
        """
        names = {field.name for field in fields(cls)}
        settings = {key: value for key, value in said.items() if key not in names}
        options = {key: value for key, value in said.items() if key in names}
        if settings:
            if env_id is None:
                raise UsageError(f"say which env_id to play: {', '.join(settings)} is its affair")
            env_id = with_settings(env_id, settings)
        return cls(env_id, remotes, **options)

    def change(self, said: Mapping[str, Any]) -> Self:
        """Return these options with others in their place; see `read`."""
        now = {field.name: getattr(self, field.name) for field in fields(self)} | dict(said)
        return self.read(now.pop("env_id"), now.pop("remotes"), now)

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of the screen in pixels; None if the remote decides."""
        text = self.screen if isinstance(self.screen, str) else "x".join(map(str, self.screen))
        found = _SIZE.fullmatch(text)
        return (int(found[1]), int(found[2])) if found else None

    def spec(self, number: int) -> Spec:
        """Return which remotes to take; `number` of them where nobody says."""
        return default_spec(number) if self.remotes is None else self.remotes

    def pool_options(self) -> dict[str, Any]:
        """Return what `open_pool` takes of them."""
        size = self.size
        said = {"reset_timeout": self.reset_timeout, "workers": self.workers}
        return {
            "env_id": self.env_id,
            "screen": f"{size[0]}x{size[1]}" if size else "native",
            "start_timeout": self.start_timeout,
            "client_id": self.client_id,
            "docker_image": self.docker_image,
            "vnc_kwargs": self.vnc_kwargs,
            "fps": self.fps,
            "lockstep": self.lockstep,
            "link": self.link,
            "view": self.view,
            "shared_memory": self.shared_memory,
            "silence": self.silence,
            "retries": self.retries,
            "on_exhausted": self.on_exhausted,
            **{name: value for name, value in said.items() if value is not None},
        }
