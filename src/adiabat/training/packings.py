"""Random packings: atoms thrown into a box, as near to each other as the learned functions reach."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from adiabat.basis.specification import Pair
from adiabat.typing import FloatArray, IntArray

ATOMS = (6, 14)
"""In a packing: from, to (not reached)."""
VOLUME = (0.4, 4.0)
"""Of an atom, in cubes of the nearest-neighbour distance: from far denser than any solid to a torn liquid."""
ATTEMPTS = 3000
"""To place the atoms of one packing; those that found no place are left out."""


@dataclass(frozen=True)
class PackingRule:
    """What packings are made of.

    Attributes:
        compositions: Atomic numbers of structures; half of the packings draw from one of these, the others from all species.
        spacing: Å, how far apart nearest neighbours stand.
        shortest: Å, by pair of species (ascending): none come closer.
    """

    compositions: Sequence[IntArray]
    spacing: float
    shortest: Mapping[Pair, float]

    @property
    def species(self) -> tuple[int, ...]:
        """Atomic numbers, ascending."""
        return tuple(sorted({number for pair in self.shortest for number in pair}))


def random_packings(rule: PackingRule, atoms: int, *, seed: int = 0) -> list[Atoms]:
    """Periodic cubes of a few atoms at random, of many densities.

    Args:
        rule: Species and distances.
        atoms: How many in all, at least.
        seed: The same gives the same packings.
    """
    rng = np.random.default_rng(seed)
    found: list[Atoms] = []
    while sum(len(packing) for packing in found) < atoms:
        packing = _packing(rule, _numbers(rule, rng), rng)
        if len(packing) > 1:
            found.append(packing)
    return found


def _numbers(rule: PackingRule, rng: np.random.Generator) -> IntArray:
    of_one = rng.random() < 0.5
    pool = rule.compositions[int(rng.integers(len(rule.compositions)))] if of_one else np.array(rule.species)
    return rng.choice(pool, int(rng.integers(*ATOMS)))


def _packing(rule: PackingRule, numbers: IntArray, rng: np.random.Generator) -> Atoms:
    """As many of the atoms as find a place, one after the other; at least as wide as no atom is too near its own image."""
    low, high = (np.log(bound) for bound in VOLUME)
    edge = (np.exp(rng.uniform(low, high)) * len(numbers)) ** (1 / 3) * rule.spacing
    edge = max(edge, *rule.shortest.values())
    placed: list[FloatArray] = []
    for _ in range(ATTEMPTS):
        if len(placed) == len(numbers):
            break
        position = rng.uniform(0, edge, 3)
        if not placed or _has_room(rule, numbers, position - np.array(placed), edge):
            placed.append(position)
    return Atoms(numbers[: len(placed)], positions=placed, cell=np.eye(3) * edge, pbc=True)


def _has_room(rule: PackingRule, numbers: IntArray, vectors: FloatArray, edge: float) -> bool:
    """Whether the next atom, at these vectors from those placed, is too near to none."""
    count = len(vectors)
    own = int(numbers[count])
    allowed = [rule.shortest[min(own, int(other)), max(own, int(other))] for other in numbers[:count]]
    nearest = vectors - edge * np.round(vectors / edge)
    return bool((np.linalg.norm(nearest, axis=1) >= allowed).all())
