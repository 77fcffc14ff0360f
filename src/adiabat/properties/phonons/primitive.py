"""The primitive cell of a crystal, here and as phonopy takes it."""

from typing import Any

import numpy as np
from ase import Atoms

from adiabat.properties.symmetry import TOLERANCE_ANGSTROM, Symmetry


def primitive_cell(rest: Atoms) -> Atoms:
    """A primitive cell of a crystal, in its axes; the crystal itself, where it is one.

    Raises:
        StructureError: It is not periodic in three directions.
    """
    import spglib

    Symmetry.of(rest)
    crystal: Any = (rest.cell.array, rest.get_scaled_positions(), rest.numbers)
    found = spglib.standardize_cell(crystal, to_primitive=True, no_idealize=True, symprec=TOLERANCE_ANGSTROM)
    if found is None or len(found[2]) == len(rest):
        return rest
    cell, places, numbers = found
    masses = dict(zip(rest.numbers.tolist(), rest.get_masses().tolist(), strict=True))
    made = Atoms(numbers, cell=cell, scaled_positions=places, pbc=True)
    made.arrays["masses"] = np.array([masses[number] for number in made.numbers.tolist()])
    return made


def phonopy_cell(atoms: Atoms) -> Any:
    """Phonopy's own class of structures."""
    from phonopy.structure.atoms import PhonopyAtoms

    return PhonopyAtoms(
        symbols=atoms.get_chemical_symbols(),
        cell=atoms.cell.array,
        scaled_positions=atoms.get_scaled_positions(),
        masses=atoms.get_masses(),
    )
