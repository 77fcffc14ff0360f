"""Holes: where a potential draws atoms into one another, at short distance, under compression or in random packings."""

from adiabat.holes.contacts import (
    NEAREST,
    Approach,
    Pair,
    contact_distances,
    contact_table,
    nearest_approach,
    pair_name,
)
from adiabat.holes.curves import EnergyCurve, Hole, deepest_hole
from adiabat.holes.dimers import dimer_curves
from adiabat.holes.hosts import crystals_of, host_of
from adiabat.holes.pushes import PushPath, push_curves, push_paths
from adiabat.holes.random_packings import PackingRule, packings_like, random_packing, volume_per_atom
from adiabat.holes.relaxation import Relaxation, relax
from adiabat.holes.relaxed_packings import RelaxedPacking, relaxed_packings, without_constants
from adiabat.holes.squeezes import squeeze_curves
from adiabat.holes.survey import HoleSurvey, survey_holes

__all__ = [
    "NEAREST",
    "Approach",
    "EnergyCurve",
    "Hole",
    "HoleSurvey",
    "PackingRule",
    "Pair",
    "PushPath",
    "Relaxation",
    "RelaxedPacking",
    "contact_distances",
    "contact_table",
    "crystals_of",
    "deepest_hole",
    "dimer_curves",
    "host_of",
    "nearest_approach",
    "packings_like",
    "pair_name",
    "push_curves",
    "push_paths",
    "random_packing",
    "relax",
    "relaxed_packings",
    "squeeze_curves",
    "survey_holes",
    "volume_per_atom",
    "without_constants",
]
