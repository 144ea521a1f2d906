"""`auniverse new`: the files that make a program of yours a runtime."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from auniverse.errors import UsageError

_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")

_YAML = """\
# What can run: see docs/your-own-program.md. AUNIVERSE_RUNTIMES=runtimes.yml adds it to ours.
NAME:
  title: A program of mine
  kind: desktop
  host: desktop
  image: mine/NAME
  tag: "1"
  limits: {memory: 1024, cpus: 1, pids: 256}
  lease: 60
  families:
    mine:
      press: hold
      fps: 30
      envs:
      - games: Echo-v0
        keys: a b Return
        program:
          command: >-
            xterm -geometry 64x24+0+0 -fa monospace -fs 20 -e
            sh -c 'while read key; do echo got $key >>{folder}/log; done'
          debian: xterm
          limit: 60
          reward:
            log: "{folder}/log"
            rules: {got a: 1, got b: -1}
"""

_DOCKERFILE = """\
# auniverse build desktop && docker build -t mine/NAME:1 .
FROM auniverse/desktop:1
USER root
# RUN apt-get update -q && apt-get install -yq --no-install-recommends YOUR-PROGRAM
COPY runtimes.yml /opt/NAME/runtimes.yml
ENV AUNIVERSE_RUNTIMES=/opt/NAME/runtimes.yml
USER 65534:65534
ENTRYPOINT ["python3", "-m", "auniverse.host", "NAME", "--bind", "0.0.0.0"]
"""

_TEST = '''\
"""AUNIVERSE_RUNTIMES=runtimes.yml python -m pytest test_NAME.py"""

import auniverse  # noqa: F401
import gymnasium


def type_in(env, letter):
    """Type a letter and Return; return what that earns."""
    events = [("KeyEvent", key, down) for key in (letter, "Return") for down in (True, False)]
    _, reward, *_ = env.step(events)
    for _ in range(400):
        if reward:
            return reward
        _, reward, *_ = env.step([])
    return 0


def test_it_is_played():
    env = gymnasium.make("NAME.Echo-v0", remotes="process:1", actions="events", fps=20)
    try:
        env.reset()
        assert type_in(env, "a") == 1
        assert type_in(env, "b") == -1
    finally:
        env.close()
'''

FILES = {"runtimes.yml": _YAML, "Dockerfile": _DOCKERFILE, "test_NAME.py": _TEST}


def new(
    name: Annotated[str, typer.Argument(help="Of the runtime: small letters, digits and _.")],
    folder: Annotated[
        Path | None, typer.Option(help="Where the files go.  [default: ./NAME]")
    ] = None,
) -> None:
    """Begin a runtime of your own: its YAML, its Dockerfile and its test."""
    from auniverse.runtimes import runtimes

    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name for a runtime: small letters, digits and _")
    if name in {runtime.name for runtime in runtimes()}:
        raise UsageError(f"there is a runtime {name} already")
    place = folder or Path(name)
    try:
        place.mkdir(parents=True)
    except FileExistsError:
        raise UsageError(f"{place} is there already") from None
    for file, text in FILES.items():
        path = place / file.replace("NAME", name)
        path.write_text(text.replace("NAME", name), "utf-8")
        typer.echo(path)
    typer.echo(
        f"Now: cd {place} && AUNIVERSE_RUNTIMES=runtimes.yml python -m pytest test_{name}.py",
        err=True,
    )
