"""A controller that need not learn balances CartPole in real time, from the same pixels as ppo.py.

It reads cart and pole off two pictures and pushes to where the pole falls. What it scores tells
whether this machine is quick enough for as many remotes: nothing waits for the one who plays.

    python examples/balance.py --remotes 4 --seconds 60
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from ppo import ENV_ID, VIEW, LivePlayer
from torch import Tensor

import auniverse

COLUMNS, ROWS = torch.arange(75) + 0.5, torch.arange(20) + 0.5
AXLE, CART, POLE = 16.6, 18, slice(2, 14)  # rows of the picture


class Controller(LivePlayer):
    """Decides by angle, place and how fast they change."""

    def choose(self, seen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        dark = (1 - seen[:, :2] / 255).clamp(min=0.02) - 0.02
        cart, pole = dark[:, :, CART], dark[:, :, POLE]
        place = (cart * COLUMNS).sum(-1) / cart.sum(-1)
        weight = pole.sum((2, 3))
        aside = (pole.sum(2) * COLUMNS).sum(-1) / weight - place
        angle = torch.atan2(aside, AXLE - (pole.sum(3) * ROWS[POLE]).sum(-1) / weight)
        place = (place - len(COLUMNS) / 2) / 15.6  # metres
        turning, rolling = ((now[:, 1] - now[:, 0]) * 25 for now in (angle, place))
        push = angle[:, 1] + 0.35 * turning + 0.05 * place[:, 1] + 0.1 * rolling
        nothing = torch.zeros(len(seen))
        return (push > 0).long(), nothing, nothing


async def play(options: argparse.Namespace) -> dict[str, Any]:
    n, view = options.remotes, replace(VIEW, stack=1)
    async with (
        auniverse.launch("gym-core", n, env_id=ENV_ID, screen="native") as remotes,
        auniverse.SessionPool(remotes, env_id=ENV_ID, fps=None, view=view) as pool,
    ):
        player, decisions = Controller(pool, options), 0
        end = time.perf_counter() + options.seconds
        while time.perf_counter() < end:
            decisions += len(await player.play(1, None))  # a rollout is one decision here
    mean = float(np.mean(player.returns)) if player.returns else 0.0
    return {"episodes": player.episodes, "mean": mean, "rate": decisions / options.seconds / n}


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--remotes", type=int, default=4, help="how many are played at once")
    parser.add_argument("--seconds", type=float, default=60, help="how long")
    parser.add_argument("--decisions", type=float, default=25, help="a second of each")
    parser.set_defaults(rollout=1, seed=1)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    result = asyncio.run(play(options))
    print(
        "{episodes} episodes, mean return {mean:.1f}, {rate:.1f} decisions a second".format(
            **result
        )
    )
    return result


if __name__ == "__main__":
    main()
