"""TorchRL's collector on remotes: batches of pixels as its policies and losses take them.

pip install 'auniverse[torchrl,gym-core]'
python examples/torchrl_rollouts.py --batches 5
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from torchrl.collectors import Collector
from torchrl.envs import Compose, RewardSum, StepCounter, ToTensorImage, TransformedEnv

from auniverse.interop.torchrl import RemoteTorchEnv


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--env", default="gym-core.CartPole-v1", help="what to play")
    parser.add_argument("--remotes", type=int, default=4, help="how many are played at once")
    parser.add_argument("--batches", type=int, default=5, help="how many to collect")
    parser.add_argument("--frames", type=int, default=256, help="steps in a batch, of all together")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)

    remotes = RemoteTorchEnv(options.env, options.remotes, lockstep=True, screen="84x84")
    seen = Compose(ToTensorImage(in_keys=["pixels"]), RewardSum(), StepCounter())
    env = TransformedEnv(remotes, seen)
    env.set_seed(options.seed)
    collector = Collector(
        env,
        None,  # acts at random; put a policy here
        frames_per_batch=options.frames,
        total_frames=options.frames * options.batches,
    )
    try:
        for number, batch in enumerate(collector, start=1):
            following = batch["next"]
            valid = following["valid"].squeeze(-1)  # leave out what lost remotes did not say
            returns = following["episode_reward"][following["done"]]
            print(
                f"batch {number}: pixels {tuple(batch['pixels'].shape)}, "
                f"{int(valid.sum())} valid steps, {len(returns)} episodes ended, "
                f"mean return {returns.mean().item() if len(returns) else float('nan'):.1f}"
            )
    finally:
        collector.shutdown()
        env.close(raise_if_closed=False)


if __name__ == "__main__":
    main()
