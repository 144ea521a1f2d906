"""Containers of an engine as remotes, and the images that they are made of."""

from .engine import Engine, open_engine
from .images import Built, Image, build, find_image, list_built, pull
from .kept import Kept, end_kept, list_kept
from .launch import launch

__all__ = [
    "Built",
    "Engine",
    "Image",
    "Kept",
    "build",
    "end_kept",
    "find_image",
    "launch",
    "list_built",
    "list_kept",
    "open_engine",
    "pull",
]
