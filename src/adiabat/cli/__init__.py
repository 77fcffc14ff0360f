"""The command line: a thin face over the library; each command in a module of its own."""

from adiabat.cli import (  # noqa: F401 (each registers its command)
    alloy_vacancy,
    analyse,
    antisite,
    boundary,
    check,
    doctor,
    elastic,
    eos,
    evaluate,
    fault,
    info,
    interstitial,
    label,
    landscape,
    learn,
    md,
    migration,
    neb,
    order,
    phonons,
    polymorphs,
    relax,
    saddle,
    screen,
    segregation,
    sqs,
    surfaces,
    train,
    vacancy,
    validate,
)
from adiabat.cli.app import main

__all__ = ["main"]
