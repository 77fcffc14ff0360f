"""Samples: a few structures that stand for a data set, spread over its config_types and over the file."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from adiabat.system import Labelled


def spread_sample(structures: Sequence[Labelled], *, most_atoms: int, per_structure: int) -> list[Labelled]:
    """As many structures as a budget allows, in their order, each config_type with the same share of it.

    What a type does not need of its share goes to the others. Within a type they are spread evenly over the file, where
    neighbours are often alike (the frames of a trajectory, the strains of a series).

    Args:
        structures: All.
        most_atoms: The budget.
        per_structure: What a structure costs besides its atoms, in atoms.
    """
    by_type: dict[str, list[int]] = {}
    for index, structure in enumerate(structures):
        by_type.setdefault(structure.config_type, []).append(index)
    cost = np.array([per_structure + len(structure.atoms) for structure in structures])
    kinds = sorted(by_type.values(), key=lambda indices: int(cost[indices].sum()))
    left, chosen = float(most_atoms), list[int]()
    for position, indices in enumerate(kinds):
        share = left / (len(kinds) - position)
        count = min(len(indices), max(1, int(share / cost[indices].mean())))
        places = np.unique(np.linspace(0, len(indices) - 1, count).round().astype(int))
        taken = [indices[place] for place in places]
        left = max(left - float(cost[taken].sum()), 0.0)
        chosen += taken
    return [structures[index] for index in sorted(chosen)]


def few_species(structures: Sequence[Labelled], most: int) -> list[Labelled]:
    """The structures that are made of a few species, chosen so that many are.

    Args:
        structures: All.
        most: Species.
    """
    species = [frozenset(int(number) for number in structure.atoms.numbers) for structure in structures]
    count = Counter(species)
    chosen: frozenset[int] = frozenset()
    while True:
        wider = {chosen | other for other in count if len(chosen | other) <= most} - {chosen}
        if not wider:
            return [structure for structure, own in zip(structures, species, strict=True) if own <= chosen]
        chosen = max(wider, key=lambda union: (sum(count[own] for own in count if own <= union), sorted(union)))
