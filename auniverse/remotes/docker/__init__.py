"""Containers of an engine as remotes, and the images that they are made of."""

from .credentials import login_header, registry_of
from .engine import Engine, open_engine, speaking
from .images import Built, Image, build, find_image, list_built, name_of, pull
from .kept import Kept, end_kept, list_kept
from .launch import launch
from .transfer import export_image, has_image, load_image, pull_image, push_image

__all__ = [
    "Built",
    "Engine",
    "Image",
    "Kept",
    "build",
    "end_kept",
    "export_image",
    "find_image",
    "has_image",
    "launch",
    "list_built",
    "list_kept",
    "load_image",
    "login_header",
    "name_of",
    "open_engine",
    "pull",
    "pull_image",
    "push_image",
    "registry_of",
    "speaking",
]
