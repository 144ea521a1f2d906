"""Containers of an engine as remotes, and the images that they are made of."""

from .engine import Engine, open_engine
from .images import Image, build, find_image, pull
from .launch import launch

__all__ = [
    "Engine",
    "Image",
    "build",
    "find_image",
    "launch",
    "open_engine",
    "pull",
]
