"""The energy of a surface."""

from dataclasses import dataclass

import numpy as np
from ase import Atoms

from adiabat.potential import Potential
from adiabat.properties.arrays import evaluated
from adiabat.properties.relaxation import relaxed
from adiabat.results import Result
from adiabat.units import JOULE_PER_SQUARE_METER_PER_EV_PER_SQUARE_ANGSTROM


@dataclass(frozen=True)
class Surface(Result):
    """A surface of a crystal of one element.

    Attributes:
        surface_energy_j_per_m2: (E(slab) - N E(crystal per atom)) / 2A.
    """

    surface_energy_j_per_m2: float


def surface(slab: Atoms, crystal: Atoms, potential: Potential, *, at_rest: bool = True) -> Surface:
    """The mean energy of both faces of a slab.

    Args:
        slab: Its faces lie along its cell's first two vectors.
        crystal: What is inside the slab, under the same strain.
        potential: What both are made of.
        at_rest: Let the slab's atoms come to rest.

    Raises:
        SimulationError: They do not.
    """
    slab = relaxed(slab, potential) if at_rest else slab
    [energies] = evaluated(potential, [slab, crystal], "energy")
    excess = energies[0] - len(slab) / len(crystal) * energies[1]
    area = np.linalg.norm(np.cross(slab.cell.array[0], slab.cell.array[1]))
    return Surface(float(excess / (2 * area) * JOULE_PER_SQUARE_METER_PER_EV_PER_SQUARE_ANGSTROM))
