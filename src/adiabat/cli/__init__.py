"""The command line: a thin face over the library; each command in a module of its own."""

from adiabat.cli import analyse, check, evaluate, info, md, train, validate  # noqa: F401 (each registers its command)
from adiabat.cli.app import main

__all__ = ["main"]
