"""Properties of a potential, each a plain function with a frozen result; and the error bars that they carry."""

from adiabat.properties.cubic_elasticity import CubicElasticity, cubic_elasticity
from adiabat.properties.cubic_lattice import CubicLattice, cubic_lattice, relaxed_cubic
from adiabat.properties.elasticity import Elasticity, elasticity
from adiabat.properties.equation_of_state import EquationOfState, equation_of_state
from adiabat.properties.estimate import Estimate
from adiabat.properties.fixed_structures import FixedStructures, PropertyValue
from adiabat.properties.measured import Measured, measured
from adiabat.properties.member_energies import member_energies
from adiabat.properties.propagate import Propagated, propagate
from adiabat.properties.relaxation import Relaxation, Relaxations, RelaxationSettings, relax, relaxed, relaxed_crystal
from adiabat.properties.start import crystal_at_rest, from_rest
from adiabat.properties.surface import Surface, surface
from adiabat.properties.trajectory_average import Response, TrajectoryAverage, trajectory_average
from adiabat.properties.vacancy import Vacancy, vacancy
from adiabat.properties.zone_centre_phonons import ZoneCentrePhonons, zone_centre_phonons

__all__ = [
    "CubicElasticity",
    "CubicLattice",
    "Elasticity",
    "EquationOfState",
    "Estimate",
    "FixedStructures",
    "Measured",
    "Propagated",
    "PropertyValue",
    "Relaxation",
    "RelaxationSettings",
    "Relaxations",
    "Response",
    "Surface",
    "TrajectoryAverage",
    "Vacancy",
    "ZoneCentrePhonons",
    "crystal_at_rest",
    "cubic_elasticity",
    "cubic_lattice",
    "elasticity",
    "equation_of_state",
    "from_rest",
    "measured",
    "member_energies",
    "propagate",
    "relax",
    "relaxed",
    "relaxed_crystal",
    "relaxed_cubic",
    "surface",
    "trajectory_average",
    "vacancy",
    "zone_centre_phonons",
]
