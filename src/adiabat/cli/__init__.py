"""The command line: a thin face over the library; each command in a module of its own."""

from adiabat.cli import (  # noqa: F401 (each registers its command)
    analyse,
    check,
    doctor,
    evaluate,
    info,
    label,
    learn,
    md,
    train,
    validate,
)
from adiabat.cli.app import main

__all__ = ["main"]
