"""Holes: where a potential draws atoms into one another, at short distance and under compression."""

from adiabat.testing.holes.check import HoleSurvey, check_no_holes, survey_holes
from adiabat.testing.holes.curves import EnergyCurve, Hole, deepest_hole
from adiabat.testing.holes.dimers import dimer_curves
from adiabat.testing.holes.hosts import crystals_of, host_of
from adiabat.testing.holes.pushes import push_curves
from adiabat.testing.holes.squeezes import squeeze_curves

__all__ = [
    "EnergyCurve",
    "Hole",
    "HoleSurvey",
    "check_no_holes",
    "crystals_of",
    "deepest_hole",
    "dimer_curves",
    "host_of",
    "push_curves",
    "squeeze_curves",
    "survey_holes",
]
