"""What can run, and how each environment is played: the contents of `runtimes.yml`."""

from .catalog import (
    Catalog,
    Env,
    Limits,
    Reserve,
    Runtime,
    env,
    envs,
    read_catalog,
    runtime,
    runtimes,
    with_settings,
)
from .section import Section, read_sections

__all__ = [
    "Catalog",
    "Env",
    "Limits",
    "Reserve",
    "Runtime",
    "Section",
    "env",
    "envs",
    "read_catalog",
    "read_sections",
    "runtime",
    "runtimes",
    "with_settings",
]
