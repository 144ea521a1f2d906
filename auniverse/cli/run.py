"""`auniverse run`: play, and say how it went."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auniverse.errors import UsageError

from .line import states_line
from .report import print_rows

if TYPE_CHECKING:
    from auniverse.vector import Batch

    from .play import Game

#: Seconds played if neither seconds nor steps were asked for.
SECONDS = 10.0
#: Seconds between two looks at the live line.
LIVE = 0.25


def run(
    env_id: Annotated[str, typer.Argument(help="What to play, such as gym-core.Pong-v5.")],
    remotes: Annotated[
        str,
        typer.Option(help="How many to start (4, docker:4, swarm:8), or vnc://host:5900+15900,..."),
    ] = "1",
    agent: Annotated[str, typer.Option(help="random or noop.")] = "random",
    seconds: Annotated[
        float | None, typer.Option(min=0, help=f"How long to play.  [default: {SECONDS:g}]")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=0, help="How many steps to play.")] = None,
    fps: Annotated[
        float | None, typer.Option(help="Steps a second; 'inf' never waits.  [default: the env's]")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Slot i gets SEED + i.")] = None,
    lockstep: Annotated[
        bool, typer.Option("--lockstep", help="One step, one frame; repeatable with a seed.")
    ] = False,
    screen: Annotated[
        str, typer.Option(help="Size of the screens started here, or 'native'.")
    ] = "1024x768",
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Processes that receive and decode.  [default: this one]"),
    ] = None,
    client_id: Annotated[
        str | None, typer.Option(help="Containers go on afterwards, for the next run of this id.")
    ] = None,
    docker_image: Annotated[
        str | None, typer.Option(help="Takes the place of the runtime's image.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object as stdout's last line.")
    ] = False,
    stats_every: Annotated[
        float | None, typer.Option(min=0.1, help="Seconds between JSON lines on stderr.")
    ] = None,
) -> None:
    """Play an environment in some remotes, and report rates, lags and rewards."""
    if fps is not None and not fps > 0:
        raise UsageError(f"--fps {fps:g}: it must be above 0")
    from auniverse.links import run as run_loop

    from .play import Plan, play, summary

    if seconds is None and steps is None:
        seconds = SECONDS
    plan = Plan(
        env_id,
        remotes,
        agent,
        seconds,
        steps,
        fps,
        seed,
        lockstep,
        screen,
        workers=workers,
        client_id=client_id,
        docker_image=docker_image,
    )
    progress = Progress(stats_every)
    try:
        game = run_loop(play(plan, progress.watch, progress.starting))
    finally:
        progress.clear()
    result = summary(game)
    if as_json:
        typer.echo(json.dumps(result, allow_nan=False))
    else:
        print_table(result)


class Progress:
    """One line on a terminal while it runs, and statistics now and then if wanted."""

    def __init__(self, stats_every: float | None) -> None:
        self._live = sys.stderr.isatty()
        self._stats_every = stats_every
        self._next_line = 0.0
        self._next_stats = stats_every or 0.0
        self._states: dict[str, str] = {}

    def starting(self, name: str, state: str) -> None:
        """Show what the remotes that are started do now; see `remotes.launch`."""
        if self._live and name != "by hand":
            self._states[name] = state
            typer.echo(f"\r{states_line(self._states)}\x1b[K", nl=False, err=True)

    def watch(self, game: Game, batch: Batch) -> None:
        """Show how it goes; see `play`."""
        if self._live and game.seconds >= self._next_line:
            self._next_line = game.seconds + LIVE
            reward = sum(slot.reward for slot in game.tally.slots)
            episodes = sum(slot.episodes for slot in game.tally.slots)
            line = f"{game.seconds:6.1f} s  step {game.tally.steps}  reward {reward:g}"
            typer.echo(f"\r{line}  episodes {episodes}\x1b[K", nl=False, err=True)
        if self._stats_every and game.seconds >= self._next_stats:
            from .play import summary

            self._next_stats += self._stats_every
            self.clear()
            typer.echo(json.dumps(summary(game), allow_nan=False), err=True)

    def clear(self) -> None:
        """Take the line away."""
        if self._live:
            typer.echo("\r\x1b[K", nl=False, err=True)


def print_table(result: dict[str, Any]) -> None:
    """Print what `summary` returns, for people."""
    print_rows(rows(result))


def rows(result: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the lines of the table for people: name and value."""
    milliseconds = {"frame_age_s": "age of a frame", "lag_action_s": "from action to its reading"}
    mode = "lock-step" if result["lockstep"] else "real time"
    return [
        ("played", f"{result['env_id']}, {mode}, agent {result['agent']}, seed {result['seed']}"),
        ("remotes", f"{len(result['remotes'])}: {', '.join(result['remotes'])}"),
        ("steps", f"{result['steps']} in {result['seconds']:.2f} s"),
        ("steps a second", f"{pair(result['fps'], 1, '')}, {result['missed_deadlines']} missed"),
        ("reward", f"{result['reward_sum']:g} in {result['episodes']} ended episodes"),
        ("pixels", f"{result['updates']} updates, {result['bytes'] / 1e6:.1f} MB"),
        *((label, pair(result[key], 1e3, " ms")) for key, label in milliseconds.items()),
        ("faults", str(result["faults"])),
        ("time went to", shares(result["time"])),
        ("bound", result["bound"]),
        ("hash", result["observation_hash"]),
    ]


def shares(times: dict[str, float]) -> str:
    """Return what share of the time each part had, for people."""
    total = times["seconds"] or 1.0
    parts = (
        f"{name} {seconds / total:.0%}" for name, seconds in times.items() if name != "seconds"
    )
    return ", ".join(parts)


def pair(spread: dict[str, Any], scale: float, unit: str) -> str:
    """Return a median and the value that 99 in 100 keep, for people."""
    if spread["p50"] is None:
        return "unknown"
    return f"{spread['p50'] * scale:.1f}{unit} median, {spread['p99'] * scale:.1f}{unit} p99"
