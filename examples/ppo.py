"""PPO that learns CartPole from the pixels of remote screens.

Each remote is a program behind a VNC server: all that the agent sees came over the wire as pixels,
all that it does is a key. In lock-step (the default) a remote stands still between two steps, and
equal seeds give equal runs. With --realtime every remote goes on at its own frame rate, and is
answered as soon as its own newest frame is there, whatever the others do; a decision holds its key
until the next one. The learner then is a process of its own and works on what was played before,
because nobody may let go of the controls to think.

After Schulman et al., "Proximal Policy Optimization Algorithms" (2017). One file, no framework.

    python examples/ppo.py --seed 1
    python examples/ppo.py --seed 1 --realtime --out curve.json
"""

from __future__ import annotations

import argparse
import asyncio
import copy
import hashlib
import json
import pickle
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.distributions import Categorical

import auniverse

ENV_ID = "gym-core.CartPole-v1"
#: The band in which cart and pole move, an eighth of its size, grey, now and one step before.
VIEW = auniverse.View(crop=(0, 160, 600, 160), size=(20, 75), grey=True, stack=2)

DISCOUNT, TRACE = 0.98, 0.9  # of rewards to come; of advantages to come (GAE)
CLIP = 0.2  # how far a probability may move from the one that acted
ENTROPY, VALUE = 0.01, 0.5  # weights in the loss
EPOCHS, MINIBATCHES = 10, 4
GRADIENT = 0.5  # longest step of the gradient
MOTION = 4.0  # weight of differences: between two frames little moves
REWARD_SCALE = 0.1  # keeps values near 1


class Policy(nn.Module):
    """From pixels, uint8 (n, stack, height, width), to logits of actions (n, k) and values (n,)."""

    def __init__(self, shape: tuple[int, ...], actions: int) -> None:
        super().__init__()
        near = nn.Conv2d(shape[0], 16, kernel_size=8, stride=4)
        far = nn.Conv2d(16, 32, kernel_size=4, stride=2)
        eyes = nn.Sequential(near, nn.ReLU(), far, nn.ReLU(), nn.Flatten())
        seen = eyes(torch.zeros(1, *shape)).shape[1]
        self.trunk = nn.Sequential(eyes, nn.Linear(seen, 128), nn.ReLU())
        self.actor, self.critic = nn.Linear(128, actions), nn.Linear(128, 1)
        gains = {self.actor: 0.01, self.critic: 1.0}
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.orthogonal_(layer.weight, gains.get(layer, 2**0.5))
                nn.init.zeros_(layer.bias)

    def forward(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        dark = 1 - seen / 255  # the background is white
        # What moved tells more than what was: the oldest picture as it is, then the differences.
        # The key that is held, which only a seat adds, comes third.
        moved = torch.cat((dark[:, :1], MOTION * dark[:, :2].diff(dim=1), dark[:, 2:]), 1)
        felt = self.trunk(moved)
        return self.actor(felt), self.critic(felt).squeeze(-1)

    @property
    def hash(self) -> str:
        """The first digits of the SHA-256 of all parameters."""
        numbers = b"".join(p.detach().numpy().tobytes() for p in self.parameters())
        return hashlib.sha256(numbers).hexdigest()[:16]


class Rollout:
    """What n environments went through in `length` steps; arrays are (length, n, ...).

    `chances` are the logarithms of the probabilities of `actions` when they were chosen.
    """

    def __init__(self, length: int, n: int, shape: tuple[int, ...]) -> None:
        self.seen = torch.zeros(length, n, *shape, dtype=torch.uint8)
        self.actions = torch.zeros(length, n, dtype=torch.long)
        self.chances, self.values, self.rewards, self.over = torch.zeros(4, length, n)
        self.valid = torch.ones(length, n, dtype=torch.bool)
        self.next_values = torch.zeros(n)

    def advantages(self) -> Tensor:
        """Return by how much things went better than expected, after each step (GAE)."""
        advantages = torch.zeros_like(self.values)
        later, following = torch.zeros(len(self.next_values)), self.next_values
        for t in reversed(range(len(self.values))):
            on = 1 - self.over[t]
            error = self.rewards[t] + DISCOUNT * on * following - self.values[t]
            later = error + DISCOUNT * TRACE * on * later
            advantages[t], following = later, self.values[t]
        return advantages

    def steps(self) -> list[Tensor]:
        """Return what is learned from, in columns; steps whose remote was lost are none."""
        gained = self.advantages()
        columns = (self.seen, self.actions, self.chances, gained, gained + self.values)
        return [column[self.valid] for column in columns]


class Learner:
    """Makes a policy better, one rollout after the other."""

    def __init__(self, policy: Policy, seed: int) -> None:
        self.policy = policy
        self.optimizer = torch.optim.Adam(policy.parameters(), eps=1e-5)
        self.random = torch.Generator().manual_seed(seed)

    def learn(self, rollouts: Sequence[Rollout], rate: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        steps = [torch.cat(part) for part in zip(*(r.steps() for r in rollouts), strict=True)]
        for _ in range(EPOCHS):
            order = torch.randperm(len(steps[0]), generator=self.random)
            for chosen in order.chunk(MINIBATCHES):
                loss = self.loss(*(column[chosen] for column in steps))
                self.optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(self.policy.parameters(), GRADIENT)
                self.optimizer.step()

    def loss(
        self, seen: Tensor, actions: Tensor, before: Tensor, gained: Tensor, target: Tensor
    ) -> Tensor:
        logits, values = self.policy(seen)
        choice = Categorical(logits=logits)
        ratio = (choice.log_prob(actions) - before).exp()
        gained = (gained - gained.mean()) / (gained.std() + 1e-8)
        bounded = torch.min(ratio * gained, ratio.clamp(1 - CLIP, 1 + CLIP) * gained)
        error = (values - target).square()
        return VALUE * error.mean() - bounded.mean() - ENTROPY * choice.entropy().mean()


def learn_elsewhere(work: bytes) -> bytes:
    """Learn in another process; all is pickled here, because torch would share its memory."""
    learner, rollouts, rate = pickle.loads(work)
    learner.learn(rollouts, rate)
    return pickle.dumps(learner)


class Player:
    """Chooses actions, and remembers how the episodes ended.

    There are the newest 100 `returns`; how many `episodes` have ended; and how many more were
    `lost` with their remote, which count for nothing.
    """

    def __init__(self, shape: tuple[int, ...], actions: int, seed: int) -> None:
        self.random = torch.Generator().manual_seed(seed)
        self.shape = shape
        self.policy = Policy(shape, actions)
        self.returns: deque[float] = deque(maxlen=100)
        self.episodes = self.lost = 0

    @torch.no_grad()
    def worth(self, seen: Tensor) -> Tensor:
        """Return the values of what is seen."""
        return self.policy(seen)[1]

    @torch.no_grad()
    def choose(self, seen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return actions, the logarithms of their probabilities, and values."""
        logits, values = self.policy(seen)
        actions = torch.multinomial(logits.softmax(1), 1, generator=self.random).squeeze(1)
        return actions, logits.log_softmax(1).gather(1, actions[:, None]).squeeze(1), values

    def note_end(self, total: float, *, valid: bool) -> None:
        """An episode has ended; without `valid`, because its remote was lost."""
        self.episodes += valid
        self.lost += not valid
        self.returns.extend([total] * valid)


class LockstepPlayer(Player):
    """Plays in environments that wait for it, in all of them at once."""

    def __init__(self, envs: gymnasium.vector.VectorEnv[Any, Any, Any], seed: int) -> None:
        self.envs = envs
        screens, _ = envs.reset(seed=seed)
        self.seen = torch.tensor(screens)
        super().__init__(tuple(self.seen.shape[1:]), int(envs.single_action_space.n), seed)
        self._running = np.zeros(envs.num_envs)

    async def play(self, length: int, learning: Future[bytes] | None) -> list[Rollout]:
        """Take so many steps in each environment."""
        rollout = Rollout(length, len(self.seen), self.shape)
        for t in range(length):
            actions, chances, values = self.choose(self.seen)
            screens, rewards, terminated, truncated, infos = self.envs.step(actions.numpy())
            over = terminated | truncated
            last = infos["final_info"] if over.any() else infos
            valid = np.where(over, last["valid"], infos["valid"])
            gains = torch.from_numpy(REWARD_SCALE * rewards).float()
            for slot in np.flatnonzero(truncated & ~terminated & valid):
                # Only the clock ended it: what would have come is worth what is seen last.
                gains[slot] += (
                    DISCOUNT * self.worth(torch.tensor(infos["final_obs"][slot])[None])[0]
                )
            rollout.seen[t], rollout.actions[t] = self.seen, actions
            rollout.chances[t], rollout.values[t] = chances, values
            rollout.rewards[t], rollout.over[t] = gains, torch.from_numpy(over)
            rollout.valid[t] = torch.from_numpy(valid)
            self._running += rewards
            for slot in np.flatnonzero(over):
                self.note_end(self._running[slot], valid=bool(valid[slot]))
                self._running[slot] = 0
            self.seen = torch.tensor(screens)
        rollout.next_values = self.worth(self.seen)
        return [rollout]


class Seat:
    """The player's place at one remote that does not wait.

    `t` decisions of its rollout are settled; one more is running if it is `deciding`, and has
    brought `gain` (scaled), the episode `total`. A picture calls for the next one if it was drawn
    when that was `due` (unix seconds).
    """

    def __init__(self, length: int, shape: tuple[int, ...]) -> None:
        self.rollout, self.t, self.deciding = Rollout(length, 1, shape), 0, False
        self.due = self.gain = self.total = self.held = 0.0

    def look(self, picture: NDArray[np.uint8]) -> Tensor:
        """Return what to decide on: the last decision's picture, this one, and what is held."""
        newest = torch.tensor(picture)
        before = self.seen[1] if self.deciding else newest
        return torch.stack((before, newest, torch.full_like(newest, self.held)))

    def decide(self, seen: Tensor, action: Tensor, chance: Tensor, value: Tensor) -> None:
        self.deciding, self.seen, self.held = True, seen, 100 * (action.item() + 1) % 256
        rollout, t = self.rollout, self.t
        rollout.seen[t], rollout.actions[t] = seen, action
        rollout.chances[t], rollout.values[t] = chance, value

    def settle(self, following: float, *, over: bool = False, valid: bool = True) -> list[Rollout]:
        """End the running decision where the value is `following`; return the rollout if full."""
        if not self.deciding:
            return []
        rollout, t = self.rollout, self.t
        rollout.rewards[t], rollout.over[t], rollout.valid[t] = self.gain, over, valid
        rollout.next_values[0] = following
        self.deciding, self.gain, self.t = False, 0.0, t + 1
        if self.t < len(rollout.seen):
            return []
        self.rollout, self.t = Rollout(self.t, 1, tuple(rollout.seen.shape[2:])), 0
        return [rollout]


class LivePlayer(Player):
    """Plays in a pool of remotes that do not wait: each is answered by itself."""

    def __init__(self, pool: auniverse.SessionPool, options: argparse.Namespace) -> None:
        self.pool, self.combinations = pool, pool.v1.actions
        self.keys = sorted({key for keys in self.combinations for key in keys})
        shape = (3, *pool.observation_shape)
        super().__init__(shape, len(self.combinations), options.seed)
        self.seats = [Seat(options.rollout, shape) for _ in range(pool.num_envs)]
        self.pause = 0.75 / options.decisions  # a frame may be a little early
        pool.begin_reset(options.seed)

    async def play(self, length: int, learning: Future[bytes] | None) -> list[Rollout]:
        """Play until there is a rollout for each seat and the learner is free; take the newest."""
        full: list[Rollout] = []
        while len(full) < len(self.seats) or (learning and not learning.done()):
            full += self._answer(await self.pool.recv(min_envs=1))
        return full[-2 * len(self.seats) :]

    def _answer(self, batch: auniverse.Batch) -> list[Rollout]:
        """Take what the pool has, and act; return the rollouts that are full by it."""
        full: list[Rollout] = []
        views: dict[int, Tensor] = {}  # by row: what a decision is due on
        for row, slot in enumerate(batch.env_ids):
            seat = self.seats[slot]
            seat.total += batch.rewards[row]
            seat.gain += REWARD_SCALE * batch.rewards[row]
            if batch.terminations[row] or batch.truncations[row]:
                full += self._end(seat, batch, row)
            elif batch.infos["reset"][row] or batch.infos["frame_time_s"][row] >= seat.due:
                views[row] = seat.look(batch.observations[row])
                seat.due = batch.infos["frame_time_s"][row] + self.pause
        events: list[list[tuple[str, str, bool]]] = [[] for _ in batch.env_ids]
        if views:
            choices = zip(*self.choose(torch.stack([*views.values()])), strict=True)
            for (row, seen), choice in zip(views.items(), choices, strict=True):
                seat, (action, _, value) = self.seats[batch.env_ids[row]], choice
                full += seat.settle(value.item())
                seat.decide(seen, *choice)
                pressed = self.combinations[action]
                events[row] = [("KeyEvent", key, key in pressed) for key in self.keys]
        self.pool.send(events, batch.env_ids)
        return full

    def _end(self, seat: Seat, batch: auniverse.Batch, row: int) -> list[Rollout]:
        valid = bool(batch.infos["valid"][row])
        if valid and not batch.terminations[row]:  # only the clock ended it
            seat.gain += DISCOUNT * self.worth(seat.look(batch.observations[row])[None]).item()
        full = seat.settle(0.0, over=True, valid=valid)
        self.note_end(seat.total, valid=valid)
        seat.gain = seat.total = seat.held = 0.0
        return full


async def train(player: LockstepPlayer | LivePlayer, options: argparse.Namespace) -> dict[str, Any]:
    """Play and learn until the threshold or the last step; return the curve and what came of it."""
    learner = Learner(copy.deepcopy(player.policy), options.seed)
    curve, steps, mean, reached = [], 0, 0.0, False
    with ProcessPoolExecutor(1, get_context("spawn"), torch.set_num_threads, (1,)) as mind:
        learning: Future[bytes] | None = None
        if options.realtime:
            warm = pickle.dumps((learner, [Rollout(8, 1, player.shape)], 0.0))
            await asyncio.wrap_future(mind.submit(learn_elsewhere, warm))  # it has much to import
        started = time.perf_counter()
        while steps + options.rollout * options.remotes <= options.steps and not reached:
            rollouts = await player.play(options.rollout, learning)
            rate = options.rate * (1 - steps / options.steps)
            if not options.realtime:
                learner.learn(rollouts, rate)  # nothing moves meanwhile
            else:
                if learning is not None:
                    learner = pickle.loads(learning.result())
                learning = mind.submit(learn_elsewhere, pickle.dumps((learner, rollouts, rate)))
            player.policy.load_state_dict(learner.policy.state_dict())
            steps += sum(rollout.valid.numel() for rollout in rollouts)
            seconds = time.perf_counter() - started
            mean = float(np.mean(player.returns)) if player.returns else 0.0
            curve.append([steps, round(seconds, 1), player.episodes, round(mean, 2)])
            print(
                f"{steps:7} steps  {seconds:5.0f} s  {steps / seconds:4.0f} steps/s  "
                f"{player.episodes:5} episodes  mean return of the last 100: {mean:5.1f}",
                flush=True,
            )
            reached = len(player.returns) == 100 and mean >= options.threshold
    return {
        **{name: vars(options)[name] for name in ("seed", "realtime", "remotes", "threshold")},
        "reached": reached,
        "mean": mean,
        "lost": player.lost,
        "policy": learner.policy.hash,
        "curve": curve,  # steps, seconds, episodes, mean return of the last 100
    }


async def run(options: argparse.Namespace) -> dict[str, Any]:
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)  # the remotes need the other cores
    if options.realtime:
        n, view = options.remotes, replace(VIEW, stack=1)  # a seat stacks what it decided on
        async with (
            auniverse.launch("gym-core", n, env_id=ENV_ID, screen="native") as remotes,
            auniverse.SessionPool(remotes, env_id=ENV_ID, fps=None, view=view) as pool,
        ):
            return await train(LivePlayer(pool, options), options)
    play = {"lockstep": True, "screen": "native", "view": VIEW, "autoreset_mode": "SameStep"}
    with closing(gymnasium.make_vec(ENV_ID, num_envs=options.remotes, **play)) as envs:
        return await train(LockstepPlayer(envs, options.seed), options)


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    as_it_is = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=as_it_is)
    add = parser.add_argument
    add("--remotes", type=int, default=8, help="how many are played at once")
    add("--seed", type=int, default=1, help="of the policy and of the remotes")
    add("--steps", type=int, default=100_000, help="at most, of all together")
    add("--rollout", type=int, default=64, help="steps of each between updates")
    add("--rate", type=float, default=1e-3, help="how fast to learn at first")
    add("--threshold", type=float, default=195, help="mean return of 100 episodes to stop at")
    add("--realtime", action="store_true", help="the remotes do not wait")
    add("--decisions", type=float, default=25, help="a second of each, in real time")
    add("--out", type=Path, help="a JSON file for the curve and the result")
    options = parser.parse_args(arguments)
    result = asyncio.run(run(options))
    verdict = "reached" if result["reached"] else "not reached"
    print(f"threshold {options.threshold:g} {verdict}; the policy is {result['policy']}")
    if options.out:
        options.out.write_text(json.dumps(result) + "\n")
    return result


if __name__ == "__main__":
    main()
