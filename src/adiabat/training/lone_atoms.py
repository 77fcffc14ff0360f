"""Structures with atoms that stand alone, which say nothing where the energy of an isolated atom is not known."""

from collections.abc import Sequence

import numpy as np
from ase.data import chemical_symbols

from adiabat.errors import DataError
from adiabat.neighbors import neighbor_graph
from adiabat.system import Batch, Labelled


def without_lone_atoms(
    structures: Sequence[Labelled], species: Sequence[int], cutoff: float
) -> tuple[list[Labelled], list[str]]:
    """The structures whose atoms of some species all have neighbours, and what there is to say of the others.

    A potential refuses atoms without neighbours whose energy is a reference shift, and so the fit must do without them.

    Args:
        structures: Labelled ones.
        species: Atomic numbers of those whose energy is a shift.
        cutoff: Å, of the potential.

    Raises:
        DataError: None is left.
    """
    lone = [lone_species(structure, species, cutoff) for structure in structures]
    kept = [structure for structure, alone in zip(structures, lone, strict=True) if not alone]
    if len(kept) == len(structures):
        return kept, []
    numbers = sorted(set().union(*lone))
    symbols = [chemical_symbols[number] for number in numbers]
    place = structures[next(index for index, alone in enumerate(lone) if alone)].place
    said = (
        f"{len(structures) - len(kept)} structures (from {place} on) have {', '.join(symbols)} atoms without a neighbour "
        f"within {cutoff:.2f} Å"
    )
    settings = " and ".join(f"data.isolated_atoms_ev.{symbol}" for symbol in symbols)
    mend = f"to fit them too, add isolated atoms (or set {settings}) beside structures with energies"
    if not kept:
        raise DataError(
            f"all {said}", place="training data", rule="a potential is learned from atoms that interact", mend=mend
        )
    return kept, [f"{said}: left out of the fit, for the energy of an isolated atom is not known; {mend}"]


def lone_species(structure: Labelled, species: Sequence[int], cutoff: float) -> set[int]:
    """Those of the species of which an atom has no neighbour within the cutoff (Å)."""
    numbers = structure.atoms.numbers
    candidates = np.flatnonzero(np.isin(numbers, species))
    if not len(candidates):
        return set()
    graph = neighbor_graph(Batch.from_atoms(structure.atoms), cutoff)
    return {int(numbers[atom]) for atom in np.setdiff1d(candidates, graph.center.numpy())}
