"""Stable-Baselines3's PPO on remotes, its own wrappers and its own evaluation around them.

pip install 'auniverse[sb3,gym-core]'
python examples/sb3_ppo.py --steps 20000
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from stable_baselines3 import PPO
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecFrameStack, VecMonitor

from auniverse.interop.sb3 import RemoteVecEnv


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--env", default="gym-core.CartPole-v1", help="what to play")
    parser.add_argument("--remotes", type=int, default=4, help="how many are played at once")
    parser.add_argument("--steps", type=int, default=20_000, help="how long to learn")
    parser.add_argument("--rollout", type=int, default=128, help="steps of each between updates")
    parser.add_argument("--episodes", type=int, default=10, help="how many to evaluate with")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)

    remotes = RemoteVecEnv(options.env, options.remotes, lockstep=True, screen="84x84")
    remotes.seed(options.seed)
    envs = VecFrameStack(VecMonitor(remotes), n_stack=2)
    try:
        model = PPO(
            "CnnPolicy",
            envs,
            n_steps=options.rollout,
            batch_size=min(256, options.rollout * options.remotes),
            n_epochs=4,
            seed=options.seed,
            device="cpu",
            verbose=1,
        )
        model.learn(options.steps)
        mean, deviation = evaluate_policy(model, envs, n_eval_episodes=options.episodes)
        print(f"return of {options.episodes} episodes: {mean:.1f} +- {deviation:.1f}")
    finally:
        envs.close()


if __name__ == "__main__":
    main()
