"""Structures at rest, or an error: what properties start from."""

from dataclasses import replace

import numpy as np
from ase import Atoms

from adiabat.errors import SimulationError, StructureError
from adiabat.potential import Potential
from adiabat.properties.arrays import evaluated
from adiabat.properties.relaxation.relax import relax
from adiabat.properties.relaxation.settings import RelaxationSettings
from adiabat.units import GPA_PER_EV_PER_CUBIC_ANGSTROM

TIGHT = RelaxationSettings(cell="free", force_tolerance_ev_per_angstrom=1e-5, stress_tolerance_gpa=1e-4)
"""Before derivatives of forces are taken."""

FORCE_AT_REST_EV_PER_ANGSTROM, STRESS_AT_REST_GPA = 0.01, 0.1
"""Beyond which a structure that is said to be at rest is not."""


def relaxed(
    atoms: Atoms,
    potential: Potential,
    *,
    force_tolerance_ev_per_angstrom: float = 1e-3,
    steps: int = 300,
    settings: RelaxationSettings | None = None,
) -> Atoms:
    """A copy of the structure at rest; by default its atoms alone, the cell fixed.

    Args:
        atoms: Where to begin.
        potential: What is followed.
        force_tolerance_ev_per_angstrom: Of the largest force on an atom.
        steps: At most.
        settings: In place of the last two, where more is to be said.

    Raises:
        SimulationError: It is not at rest after so many steps.
        StructureError: As `relax`.
    """
    if settings is None:
        settings = RelaxationSettings(force_tolerance_ev_per_angstrom=force_tolerance_ev_per_angstrom, steps=steps)
    [found] = relax([atoms], potential, settings)
    if not found.converged:
        raise SimulationError(
            f"the largest force is {found.largest_force_ev_per_angstrom:.3g} eV/Å after {found.steps} steps",
            place=f"relaxation of {found.formula}",
            rule=f"it ends below {settings.force_tolerance_ev_per_angstrom:g} eV/Å"
            + ("" if settings.cell == "fixed" else f" and {settings.stress_tolerance_gpa:g} GPa"),
            mend=found.advice,
        )
    return found.atoms


def relaxed_crystal(atoms: Atoms, potential: Potential, *, pressure_gpa: float = 0.0) -> Atoms:
    """A copy of a crystal with atoms and cell at rest, tightly; errors as of `relaxed`, and where it is not periodic in three directions."""
    if not atoms.pbc.all():
        raise StructureError(
            f"is periodic along {atoms.pbc.tolist()}",
            place=atoms.get_chemical_formula(),
            rule="a crystal is periodic in three directions",
            mend="give a crystal; a molecule or a slab has no such property",
        )
    return relaxed(atoms, potential, settings=replace(TIGHT, pressure_gpa=pressure_gpa))


def require_at_rest(atoms: Atoms, potential: Potential, *, pressure_gpa: float = 0.0, cell: bool = True) -> None:
    """Refuse what is not a stationary point of the potential.

    Args:
        atoms: The structure.
        potential: Of whose energy it is to be one.
        pressure_gpa: That the stress balances.
        cell: Whether the stress counts.

    Raises:
        StructureError: A force or a component of the stress is too large.
    """
    [forces] = evaluated(potential, [atoms], "forces")
    force, stress = float(np.linalg.norm(forces, axis=1).max()), 0.0
    if cell:
        [stresses] = evaluated(potential, [atoms], "stress")
        stress = float(np.abs(stresses[0] * GPA_PER_EV_PER_CUBIC_ANGSTROM + pressure_gpa * np.eye(3)).max())
    if force > FORCE_AT_REST_EV_PER_ANGSTROM or stress > STRESS_AT_REST_GPA:
        raise StructureError(
            f"a force of {force:.3g} eV/Å is on an atom"
            + (f", and a stress of {stress:.3g} GPa on the cell" if cell else ""),
            place=atoms.get_chemical_formula(),
            rule=f"a structure at rest has none above {FORCE_AT_REST_EV_PER_ANGSTROM} eV/Å"
            + (f" and {STRESS_AT_REST_GPA} GPa" if cell else ""),
            mend="let it be relaxed first (leave --no-relax out), or give the relaxed structure of this potential",
        )
