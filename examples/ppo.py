"""PPO that learns CartPole from the pixels of remote screens.

Each remote is a program behind a VNC server: all that the agent sees came over the wire as pixels,
all that it does is a key. In lock-step (the default) a remote stands still between two steps, and
equal seeds give equal runs. With --realtime a remote goes on at its own frame rate; then the
learner works in a thread of its own, because nobody may let go of the controls to think.

After Schulman et al., "Proximal Policy Optimization Algorithms" (2017). One file, no framework.

    python examples/ppo.py --seed 1
    python examples/ppo.py --seed 1 --realtime --out curve.json
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.distributions import Categorical

import auniverse

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
        eyes = nn.Sequential(
            nn.Conv2d(shape[0], 16, kernel_size=8, stride=4),
            nn.ReLU(),
            nn.Conv2d(16, 32, kernel_size=4, stride=2),
            nn.ReLU(),
            nn.Flatten(),
        )
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
        moved = torch.cat((dark[:, :1], MOTION * dark.diff(dim=1)), 1)
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


class Learner:
    """Makes a policy better, one rollout after the other."""

    def __init__(self, policy: Policy, seed: int) -> None:
        self.policy = policy
        self.optimizer = torch.optim.Adam(policy.parameters(), eps=1e-5)
        self.random = torch.Generator().manual_seed(seed)

    def learn(self, rollout: Rollout, rate: float) -> None:
        """Learn from a rollout; steps whose remote was lost are none."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        gained = rollout.advantages()
        columns = (rollout.seen, rollout.actions, rollout.chances, gained, gained + rollout.values)
        steps = [column[rollout.valid] for column in columns]
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


class Player:
    """Plays in all environments with one policy, and remembers how the episodes ended.

    Attributes:
        policy: What acts; replace its parameters between rollouts.
        returns: The returns of the newest 100 episodes.
        episodes: How many episodes have ended.
        lost: How many ended because their remote was lost; their returns count for nothing.
    """

    def __init__(self, envs: gymnasium.vector.VectorEnv[Any, Any, Any], seed: int) -> None:
        self.envs = envs
        self.random = torch.Generator().manual_seed(seed)
        screens, _ = envs.reset(seed=seed)
        self.seen = torch.tensor(screens)
        self.policy = Policy(tuple(self.seen.shape[1:]), int(envs.single_action_space.n))
        self.returns: deque[float] = deque(maxlen=100)
        self.episodes = self.lost = 0
        self._running = np.zeros(envs.num_envs)

    @torch.no_grad()
    def play(self, length: int) -> Rollout:
        """Take so many steps in each environment."""
        rollout = Rollout(length, *self.seen.shape[:1], tuple(self.seen.shape[1:]))
        for t in range(length):
            logits, values = self.policy(self.seen)
            actions = torch.multinomial(logits.softmax(1), 1, generator=self.random).squeeze(1)
            chances = logits.log_softmax(1).gather(1, actions[:, None]).squeeze(1)
            screens, rewards, terminated, truncated, infos = self.envs.step(actions.numpy())
            over = terminated | truncated
            last = infos["final_info"] if over.any() else infos
            valid = np.where(over, last["valid"], infos["valid"])
            gains = torch.from_numpy(REWARD_SCALE * rewards).float()
            for slot in np.flatnonzero(truncated & ~terminated & valid):
                # Only the clock ended it: what would have come is worth what is seen last.
                seen = torch.tensor(infos["final_obs"][slot])[None]
                gains[slot] += DISCOUNT * self.policy(seen)[1].item()
            rollout.seen[t], rollout.actions[t] = self.seen, actions
            rollout.chances[t], rollout.values[t] = chances, values
            rollout.rewards[t], rollout.over[t] = gains, torch.from_numpy(over)
            rollout.valid[t] = torch.from_numpy(valid)
            self._note(rewards, over, valid)
            self.seen = torch.tensor(screens)
        rollout.next_values = self.policy(self.seen)[1]
        return rollout

    def _note(self, rewards: NDArray[Any], over: NDArray[Any], valid: NDArray[Any]) -> None:
        self._running += rewards
        self.returns.extend(self._running[over & valid])
        self.episodes += int((over & valid).sum())
        self.lost += int((~valid).sum())
        self._running[over] = 0


def train(
    envs: gymnasium.vector.VectorEnv[Any, Any, Any], options: argparse.Namespace
) -> dict[str, Any]:
    """Play and learn until the threshold or the last step; return the curve and what came of it."""
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)  # the remotes need the other cores
    player = Player(envs, options.seed)
    learner = Learner(copy.deepcopy(player.policy), options.seed)
    size = options.rollout * envs.num_envs
    curve: list[list[float]] = []
    mean, reached = 0.0, False
    started = time.perf_counter()
    with ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(1,)) as mind:
        learning: Future[None] | None = None
        for before in range(0, options.steps - size + 1, size):
            rollout = player.play(options.rollout)
            if learning is not None:
                learning.result()
                player.policy.load_state_dict(learner.policy.state_dict())
            rate = options.rate * (1 - before / options.steps)
            learning = mind.submit(learner.learn, rollout, rate)
            if not options.realtime:  # nothing moves meanwhile
                learning.result()
                player.policy.load_state_dict(learner.policy.state_dict())
            seconds, steps = time.perf_counter() - started, before + size
            mean = float(np.mean(player.returns)) if player.returns else 0.0
            curve.append([steps, round(seconds, 1), player.episodes, round(mean, 2)])
            print(
                f"{steps:7} steps  {seconds:5.0f} s  {steps / seconds:4.0f} steps/s  "
                f"{player.episodes:5} episodes  mean return of the last 100: {mean:5.1f}",
                flush=True,
            )
            reached = len(player.returns) == 100 and mean >= options.threshold
            if reached:
                break
    return {
        "seed": options.seed,
        "realtime": options.realtime,
        "remotes": envs.num_envs,
        "threshold": options.threshold,
        "reached": reached,
        "mean": mean,
        "lost": player.lost,
        "policy": learner.policy.hash,
        "curve": curve,  # steps, seconds, episodes, mean return of the last 100
    }


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--remotes", type=int, default=8, help="how many are played at once")
    parser.add_argument("--seed", type=int, default=1, help="of the policy and of the remotes")
    parser.add_argument("--steps", type=int, default=100_000, help="at most, of all together")
    parser.add_argument("--rollout", type=int, default=64, help="steps of each between updates")
    parser.add_argument("--rate", type=float, default=1e-3, help="how fast to learn at first")
    parser.add_argument(
        "--threshold", type=float, default=195, help="mean return of 100 episodes to stop at"
    )
    parser.add_argument("--realtime", action="store_true", help="the remotes do not wait")
    parser.add_argument("--out", type=Path, help="a JSON file for the curve and the result")
    options = parser.parse_args(arguments)
    envs = gymnasium.make_vec(
        "gym-core.CartPole-v1",
        num_envs=options.remotes,
        lockstep=not options.realtime,
        screen="native",
        view=VIEW,
        autoreset_mode="SameStep",  # the observation after an end is the next episode's first
    )
    try:
        result = train(envs, options)
    finally:
        envs.close()
    verdict = "reached" if result["reached"] else "not reached"
    print(f"threshold {options.threshold:g} {verdict}; the policy is {result['policy']}")
    if options.out:
        options.out.write_text(json.dumps(result) + "\n")
    return result


if __name__ == "__main__":
    main()
