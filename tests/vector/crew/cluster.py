"""`python -m tests.vector.crew.cluster`: plays on a Ray cluster of two nodes and says how it went.

Ray warns, starts and prints as it likes, so it has a process of its own. The last line is JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import ray
from ray.cluster_utils import Cluster

from auniverse.errors import UsageError
from auniverse.vector import RayPool

NODE = {"num_cpus": 1, "object_store_memory": 100 << 20}
NOTHING: list = []


def actors():
    return ray._private.state.actors().values()


async def play():
    said = {}
    pool = RayPool("gym-core.CartPole-v1", 4, actors=2, screen="160x120", lockstep=True)
    async with pool:
        said["nodes"] = len({actor["Address"]["NodeID"] for actor in actors()})
        observations, infos = await pool.reset(seed=1)
        again, _ = await pool.reset(seed=1)
        said["shape"] = observations.shape
        said["repeats"] = bool((observations == again).all())
        said["differ"] = len({observation.tobytes() for observation in observations})
        said["remotes"] = len(set(infos["remote"]))
        batch = await pool.step([[("KeyEvent", "ArrowRight", True)]] * 4)
        said["rewards"] = batch.rewards.tolist()
        pool.send([NOTHING], [3])
        batch = await pool.recv(min_envs=1)
        said["partial"] = batch.env_ids.tolist()
        try:
            await pool.pause()  # stands still anyway
            await pool.resume()
        except UsageError as error:
            said["pause"] = str(error)
        ray.kill(pool.actors[1], no_restart=False)
        batch = await pool.step([NOTHING] * 4, [0, 1, 2, 3])
        while "fault" not in batch.infos:
            batch = await pool.step([NOTHING] * len(batch))
        said["faults"] = {
            str(slot): fault["type"]
            for slot, fault in zip(batch.env_ids, batch.infos["fault"], strict=True)
            if fault is not None
        }
        said["rewards of faults"] = batch.rewards[~batch.infos["valid"]].tolist()
        healed = set()
        while healed != {2, 3}:
            batch = await pool.step([NOTHING] * len(batch))
            fresh = batch.infos["reset"] & batch.infos["valid"]
            healed |= set(batch.env_ids[fresh].tolist()) & {2, 3}
        said["stats"] = pool.stats()["faults"]
    await freeze(said)
    said["alive"] = await come_and_go(said)
    return said


class QuickToGiveUp(RayPool):
    least_silence = 3.0


async def freeze(said):
    """Stop an actor's process, which says nothing then: another one takes its place."""
    pool = QuickToGiveUp("gym-core.CartPole-v1", 2, actors=2, screen="160x120", fps=20, silence=3.0)
    before = {actor["Pid"] for actor in actors() if actor["State"] == "ALIVE"}
    async with pool:
        await pool.reset(seed=1)
        frozen = min(
            actor["Pid"]
            for actor in actors()
            if actor["State"] == "ALIVE" and actor["Pid"] not in before
        )
        os.kill(frozen, signal.SIGSTOP)
        lost, healed = set(), set()
        batch = await pool.step([NOTHING] * 2)
        while not healed:
            batch = await pool.step([NOTHING] * len(batch))
            lost |= set(batch.env_ids[~batch.infos["valid"]].tolist())
            healed |= lost & set(batch.env_ids[batch.infos["valid"]].tolist())
            if "fault" in batch.infos:
                said["frozen"] = [str(f["reason"]) for f in batch.infos["fault"] if f]
    said["frozen pid"] = frozen


async def come_and_go(said):
    """In real time: stand still, take in, let go; return how many actors are left."""
    pool = RayPool("gym-core.CartPole-v1", 1, actors=2, screen="160x120", fps=20)
    async with pool:
        await pool.reset(seed=1)
        await pool.pause()
        await pool.resume()
        said["played on"] = bool((await pool.step([NOTHING])).infos["valid"].all())
        said["added"] = await pool.add(1)
        await pool.reset(seed=1)
        batch = await pool.step([NOTHING] * 2)
        said["both play"] = batch.env_ids.tolist()
        said["screens"] = [pool.screen(slot).shape for slot in (0, 1)]
        (left,) = await pool.remove([0])
        said["left"] = left.name
        said["others"] = (await pool.step([NOTHING], [1])).env_ids.tolist()
    return sum(actor["State"] == "ALIVE" for actor in actors())


def main():
    cluster = Cluster(initialize_head=True, head_node_args={**NODE, "include_dashboard": False})
    try:
        cluster.add_node(**NODE)
        ray.init(address=cluster.address, log_to_driver=False)
        said = asyncio.run(play())
        said["frozen is gone"] = not Path(f"/proc/{said['frozen pid']}").exists()
        sys.stdout.write(json.dumps(said) + "\n")
        ray.shutdown()
    finally:
        cluster.shutdown()


if __name__ == "__main__":
    main()
