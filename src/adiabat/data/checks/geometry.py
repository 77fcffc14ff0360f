"""Checks of where the atoms are."""

import numpy as np
from ase.data import covalent_radii

from adiabat.data.findings import Finding
from adiabat.data.survey import Survey
from adiabat.system import Labelled
from adiabat.typing import FloatArray

CLOSEST = 0.3
"""Å. Far inside any bond: the shortest, of H₂, has 0.74."""
OUT_OF_REACH = 2.0
"""Of the sum of covalent radii: no bond is left there (C-C pulls with less than 1 eV/Å, N≡N with 0.5)."""
OUT_OF_REACH_ANGSTROM = 2.5
"""Å. Bonds of hydrogen reach beyond twice its radius."""
STRONG_FORCE = 3.0
"""eV/Å. More than two ions of unit charge at 2.5 Å exert on each other (2.3)."""
NOBLE_GASES = (2, 10, 18, 36, 54, 86)
"""They repel far beyond their covalent radii."""


def close_atoms(survey: Survey) -> list[Finding]:
    """Atoms closer than `CLOSEST`, periodic images included."""
    least = survey.distances.least()
    close = np.flatnonzero(least < CLOSEST)
    if not len(close):
        return []
    places = [_close_place(survey, int(index), least[index]) for index in close]
    return [
        Finding(
            "close-atoms",
            "error",
            f"{len(close)} structures hold atoms closer than {CLOSEST} Å; the closest are {least.min():.3f} Å apart",
            tuple(places),
            f"atoms are at least {CLOSEST} Å apart, periodic images included",
            "remove doubled atoms, mend the cell or the unit of the positions, or remove the structures",
        )
    ]


def _close_place(survey: Survey, index: int, distance: float) -> str:
    structure, pair = survey.structures[index], survey.distances.closest[index]
    first, second = (f"{structure.atoms.symbols[atom]} {atom}" for atom in pair)
    other = "its periodic image" if first == second else second
    return f"{structure.place} ({first} and {other} are {distance:.3f} Å apart)"


def distant_forces(survey: Survey) -> list[Finding]:
    """Strong forces on atoms that no other atom is near enough to exert: the positions or the forces are wrong."""
    found = []
    for structure, nearest in zip(survey.structures, survey.distances.nearest, strict=True):
        if structure.labels.forces is None or structure.is_isolated_atom:
            continue
        force = np.where(_out_of_reach(structure, nearest), np.linalg.norm(structure.labels.forces, axis=1), 0.0)
        atom = int(force.argmax())
        if force[atom] > STRONG_FORCE:
            found.append(
                f"{structure.place} ({structure.atoms.symbols[atom]} {atom} feels {force[atom]:.1f} eV/Å, its nearest "
                f"neighbour is {nearest[atom]:.2f} Å away)"
            )
    if not found:
        return []
    return [
        Finding(
            "distant-forces",
            "error",
            f"strong forces on atoms without a near neighbour in {len(found)} structures",
            tuple(found),
            f"an atom with more than {STRONG_FORCE} eV/Å on it has a neighbour within {OUT_OF_REACH} times the sum of "
            "covalent radii",
            "see whether the positions are in Å (Bohr is 0.529 Å) and whether forces and structure belong together",
        )
    ]


def _out_of_reach(structure: Labelled, nearest: FloatArray) -> np.ndarray:
    """(n,) whether no atom of any kind in the structure is near enough to bond."""
    numbers = structure.atoms.numbers
    reach = OUT_OF_REACH * (covalent_radii[numbers] + covalent_radii[numbers].max())
    is_noble = np.isin(numbers, NOBLE_GASES)
    return (nearest > np.maximum(reach, OUT_OF_REACH_ANGSTROM)) & ~is_noble
