"""What can run, and how each environment is played: the contents of `runtimes.yml`."""

from .catalog import env, envs, runtime, runtimes, with_settings
from .entries import HOSTS, Catalog, Env, Limits, Reserve, Runtime, read_catalog
from .section import Section, read_sections

__all__ = [
    "HOSTS",
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
