"""The loop of an agent that plays in many remotes at once, with what it measures."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from auniverse.remotes import provide
from auniverse.runtimes import env
from auniverse.vector import Batch, SessionPool

from .agent import Agent, controls_of, make_agent
from .doctor import versions
from .tally import Tally


@dataclass(frozen=True, slots=True)
class Plan:
    """What to play, where and for how long.

    Attributes:
        env_ids: What each slot plays, or one id for all.
        remotes: A number of remotes to start here, or their addresses.
        agent: The name of one, see `make_agent`.
        seconds: Time to play once every slot has shown its first frame; None: no limit.
        steps: Steps to play; None: no limit.
        fps: Steps a second; None: what the environment says.
        seed: Of the environments (slot i gets seed + i) and of the agent.
        lockstep: One step, one frame.
        screen: Size of the screens that are started here.
        repeat: Steps for which the agent keeps to an action.
        workers: Processes that receive and decode; None: this one does.
        client_id: Whose remotes they are: containers go on after the game; None: nobody's.
        docker_image: Takes the place of the runtime's image; containers only.
    """

    env_ids: str | tuple[str, ...]
    remotes: str
    agent: str = "random"
    seconds: float | None = None
    steps: int | None = None
    fps: float | None = None
    seed: int | None = None
    lockstep: bool = False
    screen: str = "1024x768"
    repeat: int = 1
    workers: int | None = None
    client_id: str | None = None
    docker_image: str | None = None


@dataclass(slots=True)
class Game:
    """A game while it is played.

    Attributes:
        seconds: Time played so far.
    """

    plan: Plan
    pool: SessionPool
    tally: Tally
    seconds: float = 0.0

    @property
    def over(self) -> bool:
        """Whether the plan is fulfilled."""
        plan = self.plan
        return (plan.steps is not None and self.tally.steps >= plan.steps) or (
            plan.seconds is not None and self.seconds >= plan.seconds
        )


Watch = Callable[[Game, Batch], None]


async def play(
    plan: Plan,
    watch: Watch = lambda game, batch: None,
    starting: Callable[[str, str], None] = lambda name, state: None,
) -> Game:
    """Play as planned; `watch` is called after every step, `starting` before (`remotes.launch`).

    Raises:
        AuniverseError: The plan cannot be carried out, or no remote is left.
    """
    ids = [plan.env_ids] if isinstance(plan.env_ids, str) else list(plan.env_ids)
    envs = [env(env_id) for env_id in ids]
    first = ids[0] if len(set(ids)) == 1 else None
    async with (
        provide(
            plan.remotes,
            runtime=envs[0].runtime,
            env_id=first,
            screen=plan.screen,
            client_id=plan.client_id,
            docker_image=plan.docker_image,
            progress=starting,
        ) as remotes,
        SessionPool(
            remotes,
            env_id=first or ids,
            fps="default" if plan.fps is None else plan.fps,
            lockstep=plan.lockstep,
            workers=plan.workers,
        ) as pool,
    ):
        observations, infos = await pool.reset(plan.seed)
        envs = envs * (pool.num_envs // len(envs))
        controls = [controls_of(each, pool.v1, pool.screen_size) for each in envs]
        agent = make_agent(plan.agent, controls, plan.seed, plan.repeat)
        game = Game(plan, pool, Tally(pool.num_envs))
        game.tally.begin(observations, infos)
        await _play(game, agent, watch)
        return game


async def _play(game: Game, agent: Agent, watch: Watch) -> None:
    loop = asyncio.get_running_loop()
    started = loop.time()
    plan, pool = game.plan, game.pool
    slots = list(range(pool.num_envs))
    while not game.over:
        pool.send(agent.act(slots), slots)
        left = None if plan.seconds is None else plan.seconds - game.seconds
        batch = await pool.recv(timeout=left)
        game.seconds = loop.time() - started
        if len(batch):
            game.tally.add(batch, loop.time())
            agent.observe(batch)
            watch(game, batch)
        slots = batch.env_ids.tolist()


def summary(game: Game) -> dict[str, Any]:
    """Return what was measured, as JSON values; what is not known is None."""
    plan, pool, tally = game.plan, game.pool, game.tally
    stats = pool.stats()
    return {
        "env_id": plan.env_ids,
        "remotes": [slot["remote"] for slot in stats["slots"]],
        "agent": plan.agent,
        "lockstep": plan.lockstep,
        "workers": plan.workers,
        "seed": plan.seed,
        "steps": tally.steps,
        "seconds": game.seconds,
        "fps": tally.fps(),
        "updates": stats["updates"],
        "bytes": stats["bytes"],
        "reward_sum": stats["reward_sum"],
        "episodes": stats["episodes"],
        "faults": stats["faults"],
        "missed_deadlines": stats["missed_deadlines"],
        "time": stats["time"],
        "bound": stats["bound"],
        "frame_age_s": tally.frame_age.percentiles(),
        "lag_action_s": tally.lag_action.percentiles(),
        "observation_hash": tally.observation_hash,
        "versions": versions("auniverse", "gymnasium", "numpy"),
    }
