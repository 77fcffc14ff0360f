"""Contact distances: how near atoms of each pair of species come in the data, and so where a potential is on its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols

from adiabat.data import contact_distance, shortest_distances
from adiabat.errors import DataError
from adiabat.neighbors import pair_vectors
from adiabat.system import Labelled
from adiabat.typing import FloatArray

Pair = tuple[int, int]
"""Two atomic numbers, the lower one first."""

NEAREST = 0.3
"""Å: nearer than this no data are accepted, and no run should take two atoms."""


def contact_distances(structures: Sequence[Labelled], species: Sequence[int]) -> dict[Pair, float]:
    """Å, how near atoms of each pair of species touch in the data, by the rule that training takes for its repulsion.

    Args:
        structures: The data.
        species: Atomic numbers of which pairs are made.

    Raises:
        DataError: Atoms of the data are nearer than `NEAREST`.
    """
    shortest, found = shortest_distances(structures), {}
    for pair in combinations_with_replacement(sorted(species), 2):
        found[pair] = contact_distance(pair, shortest)
        if found[pair] <= NEAREST:
            raise DataError(
                f"{pair_name(pair)} are {found[pair]:.3f} Å apart",
                rule=f"atoms are further apart than {NEAREST} Å",
                mend="`adiabat check` names the structure",
            )
    return found


def pair_name(pair: Pair) -> str:
    """Such as O-Si."""
    return "-".join(chemical_symbols[number] for number in pair)


@dataclass(frozen=True)
class Approach:
    """The two atoms of a structure that are nearest, as a share of the contact distance of their pair.

    Attributes:
        pair: Their species.
        distance: Å.
        ratio: Of the contact distance.
    """

    pair: Pair
    distance: float
    ratio: float

    def __str__(self) -> str:
        return f"{pair_name(self.pair)} at {self.distance:.3f} Å, {self.ratio:.2f} of the shortest distance in the data"


def nearest_approach(atoms: Atoms, contacts: Mapping[Pair, float]) -> Approach | None:
    """The nearest atoms, periodic images included; None where none are within their contact distance."""
    first, second, vectors = pair_vectors(atoms, max(contacts.values()))
    if not len(first):
        return None
    distance = np.sqrt((vectors**2).sum(-1))
    ratio = distance / contact_table(contacts)[atoms.numbers[first], atoms.numbers[second]]
    nearest = int(ratio.argmin())
    low, high = sorted((int(atoms.numbers[first[nearest]]), int(atoms.numbers[second[nearest]])))
    return Approach((low, high), float(distance[nearest]), float(ratio[nearest]))


def contact_table(contacts: Mapping[Pair, float]) -> FloatArray:
    """Å by both atomic numbers, zero for pairs that are not there."""
    size = 1 + max(high for _, high in contacts)
    table = np.zeros((size, size))
    for (low, high), distance in contacts.items():
        table[low, high] = table[high, low] = distance
    return table
