"""Remotes inside other people's libraries: one file for each, and nobody imports more than one.

Each file is an extra of that name (`pip install 'auniverse[sb3]'`) and stands on `RemoteVectorEnv`.
Each says in its library's words that an episode ended because a remote was lost, and that the 0.0
of that step is no reward.

::

    auniverse.interop.sb3       Stable-Baselines3: `RemoteVecEnv`
    auniverse.interop.torchrl   TorchRL: `RemoteTorchEnv`
    auniverse.interop.rllib     Ray RLlib: `RemoteEnvRunner`
"""
