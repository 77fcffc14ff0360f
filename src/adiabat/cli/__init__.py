"""The command line: a thin face over the library; each command in a module of its own."""

from adiabat.cli import (  # noqa: F401 (each registers its command)
    analyse,
    check,
    conductivity,
    doctor,
    elastic,
    eos,
    evaluate,
    gruneisen,
    info,
    interstitial,
    label,
    landscape,
    learn,
    md,
    neb,
    phonons,
    polymorphs,
    qha,
    relax,
    surfaces,
    train,
    vacancy,
    validate,
)
from adiabat.cli.app import main

__all__ = ["main"]
