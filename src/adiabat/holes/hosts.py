"""Structures of a data set that stand for the rest: those of lowest energy; the first, where none has an energy."""

from collections.abc import Sequence

import numpy as np
from ase import Atoms

from adiabat.errors import DataError
from adiabat.holes.contacts import Pair
from adiabat.system import Labelled


def host_of(structures: Sequence[Labelled], pair: Pair) -> Atoms:
    """The structure that is richest in the pair, of lowest energy per atom among its like; a crystal where there is one.

    Richest is where the rarer of the two makes the largest share of the atoms. Where no structure holds both species, one
    that holds either.

    Raises:
        DataError: No structure but isolated atoms holds either.
    """
    candidates = [structure for structure in structures if not structure.is_isolated_atom]
    for wanted in (set(pair), {pair[0]}, {pair[1]}):
        holding = [s for s in candidates if wanted.issubset(s.atoms.numbers.tolist())]
        crystals = [s for s in holding if s.atoms.pbc.all()]
        if holding:
            return min(crystals or holding, key=lambda s: (-_share_of_rarest(s, wanted), energy_per_atom(s))).atoms
    raise DataError(
        f"no structure holds an atom of the number {pair[0]} or {pair[1]}",
        rule="what a potential does at short distance is judged beside structures of its data",
        mend="add structures of the species, with more than one atom",
    )


def _share_of_rarest(structure: Labelled, species: set[int]) -> float:
    """Of all atoms, rounded to a percent."""
    return min(round(float(np.mean(structure.atoms.numbers == number)), 2) for number in species)


def crystals_of(structures: Sequence[Labelled]) -> dict[str, Atoms]:
    """By config_type the structure of lowest energy per atom that is periodic in three directions; none of molecules."""
    found: dict[str, Labelled] = {}
    for structure in structures:
        if not structure.atoms.pbc.all():
            continue
        present = found.get(structure.config_type)
        if present is None or energy_per_atom(structure) < energy_per_atom(present):
            found[structure.config_type] = structure
    return {kind: found[kind].atoms for kind in sorted(found)}


def energy_per_atom(structure: Labelled) -> float:
    """eV; infinite without a label."""
    energy = structure.labels.energy
    return np.inf if energy is None else energy / len(structure.atoms)


def repeated_beyond(atoms: Atoms, width: float) -> Atoms:
    """The structure repeated along its periodic directions until its cell is wider than `width` (Å) there."""
    repeats = np.ones(3, dtype=int)
    per_height = np.linalg.norm(np.linalg.pinv(atoms.cell.array[atoms.pbc]), axis=0)
    repeats[atoms.pbc] = np.floor(width * per_height).astype(int) + 1
    return atoms.repeat(repeats)
