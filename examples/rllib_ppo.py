"""RLlib's PPO on remotes, a vector of them in each of its env runners.

pip install 'auniverse[rllib,gym-core]'
python examples/rllib_ppo.py --iterations 10 --runners 2
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import ray
from ray.rllib.algorithms.ppo import PPOConfig

from auniverse.interop.rllib import RemoteEnvRunner


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--env", default="gym-core.CartPole-v1", help="what to play")
    parser.add_argument("--remotes", type=int, default=4, help="how many each runner plays")
    parser.add_argument("--runners", type=int, default=0, help="how many actors; 0: this process")
    parser.add_argument("--iterations", type=int, default=10, help="how long to learn")
    parser.add_argument("--batch", type=int, default=512, help="steps of an iteration")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)

    config = (
        PPOConfig()
        .environment(options.env, env_config={"lockstep": True, "screen": "42x42"})
        .env_runners(
            env_runner_cls=RemoteEnvRunner,
            num_env_runners=options.runners,
            num_envs_per_env_runner=options.remotes,
            rollout_fragment_length="auto",
        )
        .training(
            train_batch_size_per_learner=options.batch,
            minibatch_size=min(128, options.batch),
            num_epochs=4,
        )
        .debugging(seed=options.seed)
    )
    ray.init(num_cpus=1 + options.runners, include_dashboard=False)
    algorithm = config.build_algo()
    try:
        for number in range(1, options.iterations + 1):
            seen = algorithm.train()["env_runners"]
            print(
                f"iteration {number}: {int(seen['num_env_steps_sampled_lifetime'])} steps, "
                f"mean return {seen.get('episode_return_mean', float('nan')):.1f}, "
                f"{int(seen.get('auniverse_episodes_lost', 0))} episodes lost"
            )
    finally:
        algorithm.stop()
        ray.shutdown()


if __name__ == "__main__":
    main()
