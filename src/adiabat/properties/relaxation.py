"""Atoms at rest, their cell fixed: what properties of defects and surfaces start from."""

from ase import Atoms
from ase.optimize import BFGS

from adiabat.errors import SimulationError
from adiabat.potential import Potential


def relaxed(
    atoms: Atoms, potential: Potential, *, force_tolerance_ev_per_angstrom: float = 1e-3, steps: int = 300
) -> Atoms:
    """A copy of the structure whose atoms have moved to where no force is above the tolerance.

    Args:
        atoms: Where to begin.
        potential: What is followed.
        force_tolerance_ev_per_angstrom: Of the largest force on an atom.
        steps: At most.

    Raises:
        SimulationError: They are not at rest after so many steps.
    """
    moving = atoms.copy()
    moving.calc = potential.calculator()
    optimizer = BFGS(moving, logfile=None, maxstep=0.1)
    if not optimizer.run(fmax=force_tolerance_ev_per_angstrom, steps=steps):
        largest = float((moving.get_forces() ** 2).sum(axis=1).max() ** 0.5)
        raise SimulationError(
            f"the largest force is {largest:.3g} eV/Å after {steps} steps",
            place=f"relaxation of {atoms.get_chemical_formula()}",
            rule=f"it ends below {force_tolerance_ev_per_angstrom:g} eV/Å",
            mend="begin closer to rest; a potential that does not know the structure may have no rest near it",
        )
    moving.calc = None
    return moving
