"""Structures at rest: positions and cells, many at once, by L-BFGS or FIRE."""

from adiabat.properties.relaxation.relax import Relaxation, relax
from adiabat.properties.relaxation.relaxed import relaxed, relaxed_crystal, require_at_rest
from adiabat.properties.relaxation.settings import RelaxationSettings
from adiabat.properties.relaxation.several import Relaxations

__all__ = [
    "Relaxation",
    "RelaxationSettings",
    "Relaxations",
    "relax",
    "relaxed",
    "relaxed_crystal",
    "require_at_rest",
]
