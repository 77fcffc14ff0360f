"""Structures with atoms that stand alone, which say nothing where the energy of an isolated atom is not known."""

from collections.abc import Sequence

import torch

from adiabat.errors import DataError
from adiabat.neighbors import neighbor_graph
from adiabat.system import Batch, Labelled

MEND = "to fit them too, add isolated atoms to the data or set data.isolated_atoms_ev"


def without_lone_atoms(structures: Sequence[Labelled], cutoff: float) -> tuple[list[Labelled], list[str]]:
    """The structures whose atoms all have neighbours, and what there is to say of the others.

    Energies per species that were fitted are reference shifts: a potential on them refuses atoms without neighbours, and
    so the fit must do without them.

    Args:
        structures: Labelled ones.
        cutoff: Å, of the potential.

    Raises:
        DataError: None is left.
    """
    lone = [has_lone_atom(structure, cutoff) for structure in structures]
    kept = [structure for structure, alone in zip(structures, lone, strict=True) if not alone]
    if len(kept) == len(structures):
        return kept, []
    first = structures[lone.index(True)].place
    said = f"{sum(lone)} structures (from {first} on) have atoms without a neighbour within {cutoff:.2f} Å"
    if not kept:
        raise DataError(
            f"all {said}", place="training data", rule="a potential is learned from atoms that interact", mend=MEND
        )
    return kept, [f"{said}: left out of the fit, for the energy of an isolated atom is not known; {MEND}"]


def has_lone_atom(structure: Labelled, cutoff: float) -> bool:
    """Whether an atom has no neighbour within the cutoff (Å)."""
    graph = neighbor_graph(Batch.from_atoms(structure.atoms), cutoff)
    return len(torch.unique(graph.center)) < len(structure.atoms)
