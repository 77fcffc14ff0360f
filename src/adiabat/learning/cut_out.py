"""Cut-outs: of a structure that is too large for the oracle, a smaller one that holds an atom and its surroundings as they are."""

import os
from collections import Counter

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms
from ase.data import covalent_radii
from ase.geometry import get_distances
from ase.neighborlist import build_neighbor_list
from ase.optimize import FIRE
from scipy.sparse.csgraph import connected_components

from adiabat.errors import StructureError
from adiabat.potential import Potential

SEAM_ANGSTROM = 2.0
"""Within so much of the faces of a box atoms meet others than they did, and are relaxed."""
RELAXED_STEPS = 50
RELAXED_EV_PER_ANGSTROM = 0.5
"""Atoms at the seam only have to be where an oracle converges."""
NEAREST = 0.75
"""Of the sum of covalent radii: of two atoms that are nearer across the seam, one is left out."""
BONDED = 1.2
"""Times the sum of covalent radii: atoms of one molecule."""
SMALLEST_MOLECULES = 2
"""A structure that falls into so many parts or more consists of molecules."""


def cut_out(atoms: Atoms, centre: int, *, most_atoms: int, potential: Potential) -> Atoms:
    """A smaller structure in which the surroundings of an atom are as they were; all that is far from it is rearranged.

    Of molecules, those nearest to the atom are kept whole, in vacuum. Of anything else a periodic box about the atom is cut; atoms
    that meet too closely across its seam are left out, and those at the seam are relaxed a little by the potential. Every force of it is a label like any other: it is a structure of its own.

    Args:
        atoms: The large structure.
        centre: Which atom.
        most_atoms: Of the cut-out.
        potential: By which the seam is relaxed.

    Returns:
        The structure itself where it is small enough.

    Raises:
        StructureError: The surroundings do not fit: what stays as it is would be thinner than the potential's cutoff, or a molecule is larger.
    """
    if len(atoms) <= most_atoms:
        return atoms
    parts = _molecules(atoms)
    if max(parts) + 1 >= SMALLEST_MOLECULES:
        return _whole_molecules(atoms, parts, centre, most_atoms)
    if not atoms.pbc.all():
        raise _too_large(atoms, centre, most_atoms, "is one piece, and has surfaces")
    return _relaxed(*_box(atoms, centre, most_atoms, potential.cutoff), potential)


def _molecules(atoms: Atoms) -> np.ndarray:
    """(n,) the part that each atom belongs to, by covalent bonds."""
    cutoffs = (BONDED * covalent_radii[atoms.numbers]).tolist()
    neighbours = build_neighbor_list(atoms, cutoffs, self_interaction=False)
    return connected_components(neighbours.get_connectivity_matrix(), directed=False)[1]


def _whole_molecules(atoms: Atoms, parts: np.ndarray, centre: int, most_atoms: int) -> Atoms:
    vectors, distances = _about(atoms, centre)
    nearest: dict[int, float] = {}
    for part, distance in zip(parts.tolist(), distances.tolist(), strict=True):
        nearest[part] = min(distance, nearest.get(part, np.inf))
    sizes, taken, count = Counter(parts.tolist()), list[int](), 0
    for part in sorted(nearest, key=nearest.__getitem__):
        if count + sizes[part] > most_atoms:
            break
        taken.append(part)
        count += sizes[part]
    if not taken:
        raise _too_large(atoms, centre, most_atoms, f"is in a molecule of {sizes[int(parts[centre])]} atoms")
    positions = np.empty((0, 3))
    numbers: list[int] = []
    for part in taken:
        members = np.flatnonzero(parts == part)
        anchor = members[distances[members].argmin()]
        inside, _ = _about(atoms[members], int(np.flatnonzero(members == anchor)[0]))
        positions = np.vstack([positions, vectors[anchor] + inside])
        numbers += atoms.numbers[members].tolist()
    return Atoms(numbers, positions=positions)


def _box(atoms: Atoms, centre: int, most_atoms: int, cutoff: float) -> tuple[Atoms, np.ndarray]:
    """A cubic box about an atom, and which of its atoms stay where they are."""
    vectors, distances = _about(atoms, centre)
    side = (most_atoms * atoms.get_volume() / len(atoms)) ** (1 / 3)
    widths = atoms.get_volume() / np.linalg.norm(np.cross(*_other_two(atoms.cell.array)), axis=1)
    if side - 2 * SEAM_ANGSTROM < cutoff or side > widths.min():
        raise _too_large(
            atoms, centre, most_atoms, f"would have a box of {side:.1f} Å, the potential a cutoff of {cutoff:.1f} Å"
        )
    inside = np.flatnonzero((vectors >= -side / 2).all(1) & (vectors < side / 2).all(1))
    order = inside[np.argsort(distances[inside], kind="stable")]
    found = Atoms(atoms.numbers[order], positions=vectors[order], cell=[side] * 3, pbc=True)
    kept = _apart(found)
    return found[kept], (np.abs(vectors[order[kept]]) < side / 2 - SEAM_ANGSTROM).all(1)


def _other_two(cell: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return cell[[1, 2, 0]], cell[[2, 0, 1]]


def _apart(atoms: Atoms) -> np.ndarray:
    """Places of atoms, from the middle outwards, none of which is too near to one before it."""
    radii = covalent_radii[atoms.numbers]
    kept: list[int] = []
    for place in range(len(atoms)):
        _, distances = (
            get_distances(atoms.positions[place : place + 1], atoms.positions[kept], cell=atoms.cell, pbc=atoms.pbc)
            if kept
            else (None, np.empty((1, 0)))
        )
        if (distances[0] >= NEAREST * (radii[place] + radii[kept])).all():
            kept.append(place)
    return np.array(kept)


def _relaxed(atoms: Atoms, core: np.ndarray, potential: Potential) -> Atoms:
    found = atoms.copy()
    found.set_constraint(FixAtoms(mask=core))
    found.calc = potential.calculator()
    FIRE(found, logfile=os.devnull).run(fmax=RELAXED_EV_PER_ANGSTROM, steps=RELAXED_STEPS)
    return Atoms(found.numbers, positions=found.positions, cell=found.cell, pbc=True)


def _about(atoms: Atoms, centre: int) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3) shortest vectors from an atom, (n,) their lengths."""
    vectors, distances = get_distances(
        atoms.positions[centre : centre + 1], atoms.positions, cell=atoms.cell, pbc=atoms.pbc
    )
    return vectors[0], distances[0]


def _too_large(atoms: Atoms, centre: int, most_atoms: int, why: str) -> StructureError:
    return StructureError(
        f"atom {centre} of {len(atoms)} {why}",
        place="explore.label_atoms",
        rule=f"the surroundings of an atom fit into a structure of {most_atoms} atoms",
        mend="allow labels of more atoms, or start from a smaller structure",
    )
