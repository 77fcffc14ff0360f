"""The formation energy of a vacancy."""

from dataclasses import dataclass

from ase import Atoms

from adiabat.potential import Potential
from adiabat.properties.arrays import evaluated
from adiabat.properties.cubic_lattice import relaxed_cubic
from adiabat.properties.relaxation import relaxed
from adiabat.results import Result

RATTLE_ANGSTROM = 0.02
"""So that atoms around the vacancy may pair up, against the symmetry in which they begin."""
RATTLE_SEED = 0


@dataclass(frozen=True)
class Vacancy(Result):
    """A vacancy in a cell of fixed size.

    Attributes:
        formation_energy_ev: E(N - 1 atoms) - (N - 1) / N E(N atoms).
    """

    formation_energy_ev: float


def vacancy(crystal: Atoms, potential: Potential, *, repeats: int = 2) -> Vacancy:
    """A vacancy of a crystal of one element, in a cubic supercell at the crystal's lattice constant, atoms at rest.

    Members of a committee may come to rest in different minima, which are then part of the uncertainty.

    Args:
        crystal: As `cubic_lattice` takes it.
        potential: What it is made of.
        repeats: Cubic cells along each edge of the supercell.

    Raises:
        StructureError: As `cubic_lattice`.
        SimulationError: The atoms do not come to rest.
    """
    full = relaxed_cubic(crystal, potential).repeat(repeats)
    less = full.copy()
    del less[0]
    less.rattle(RATTLE_ANGSTROM, seed=RATTLE_SEED)
    [energies] = evaluated(potential, [full, relaxed(less, potential)], "energy")
    return Vacancy(float(energies[1] - len(less) / len(full) * energies[0]))
