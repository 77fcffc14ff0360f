"""Random packings: atoms thrown into a box, as near to each other as is allowed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from adiabat.errors import DataError
from adiabat.holes.contacts import Pair, contact_table
from adiabat.system import Labelled
from adiabat.typing import FloatArray, IntArray

ATTEMPTS = 3000
"""To place the atoms of one packing; those that found no place are left out."""

LIKE_DATA = (8, 21)
"""Atoms of packings that are like the data: from, to (not reached)."""
DENSITY = (0.5, 1.5)
"""Of such packings, times the median density of the data."""
CLOSEST = 0.5
"""Of the contact distance: no two atoms of such packings are placed nearer."""
MARGIN = 2.0
"""Å by which a molecule's box is larger than its nuclei's: about the room that it takes up in a liquid."""


@dataclass(frozen=True)
class PackingRule:
    """What packings are made of.

    Attributes:
        compositions: Atomic numbers of structures. A packing draws from one of them, or from all species.
        soups: Share of the packings that draw from all species alike.
        atoms: How many are thrown: from, to (not reached).
        volume_per_atom: Å³: from, to; any factor between is as likely as another.
        shortest: Å, by pair of species (ascending): none come closer.
    """

    compositions: Sequence[IntArray]
    soups: float
    atoms: tuple[int, int]
    volume_per_atom: tuple[float, float]
    shortest: Mapping[Pair, float]

    @property
    def species(self) -> tuple[int, ...]:
        """Atomic numbers, ascending."""
        return tuple(sorted({number for pair in self.shortest for number in pair}))


def random_packing(rule: PackingRule, rng: np.random.Generator) -> Atoms:
    """A periodic cube of as many of the atoms as find a place, one after the other.

    It is at least as wide as no atom is too near its own image.
    """
    numbers = _numbers(rule, rng)
    low, high = (np.log(bound) for bound in rule.volume_per_atom)
    edge = (np.exp(rng.uniform(low, high)) * len(numbers)) ** (1 / 3)
    edge = max(edge, *rule.shortest.values())
    allowed = contact_table(rule.shortest)
    placed: list[FloatArray] = []
    for _ in range(ATTEMPTS):
        if len(placed) == len(numbers):
            break
        position = rng.uniform(0, edge, 3)
        if not placed or _has_room(allowed[numbers[len(placed)], numbers[: len(placed)]], position - placed, edge):
            placed.append(position)
    return Atoms(numbers[: len(placed)], positions=placed, cell=np.eye(3) * edge, pbc=True)


def packings_like(
    structures: Sequence[Labelled], contacts: Mapping[Pair, float], count: int, *, seed: int
) -> list[Atoms]:
    """Random packings with the compositions and about the densities of a data set.

    Each is drawn by (seed, its index), so that the first of many are the same as few.

    Args:
        structures: The data.
        contacts: Å, by pair, as `contact_distances` gives them.
        count: How many.
        seed: Of all that is random.

    Raises:
        DataError: The data are isolated atoms alone, or the contact distances leave no room for two atoms.
    """
    structures = [structure for structure in structures if not structure.is_isolated_atom]
    if not structures:
        raise DataError(
            "holds isolated atoms alone",
            place="the data",
            rule="packings have the densities of the data",
            mend="add structures with more than one atom",
        )
    volume = volume_per_atom(structures)
    closest = {pair: CLOSEST * distance for pair, distance in contacts.items()}
    of_densities = (volume / DENSITY[1], volume / DENSITY[0])
    rule = PackingRule([s.atoms.numbers for s in structures], 0.0, LIKE_DATA, of_densities, closest)
    packings = [random_packing(rule, np.random.default_rng([seed, index])) for index in range(count)]
    if any(len(packing) < 2 for packing in packings):
        raise DataError(
            f"two atoms do not fit into {LIKE_DATA[0] * of_densities[0]:.1f} Å³ at half of their contact distance",
            rule="random packings have 0.5 to 1.5 times the density of the data",
            mend="see whether positions and cells are in Å",
        )
    return packings


def volume_per_atom(structures: Sequence[Labelled]) -> float:
    """Å³, the median over crystals; without any, over the boxes that hold the molecules."""
    together = [structure.atoms for structure in structures]
    crystals = [atoms.get_volume() / len(atoms) for atoms in together if atoms.pbc.all()]
    boxes = [float(np.prod(np.ptp(atoms.positions, axis=0) + MARGIN)) / len(atoms) for atoms in together]
    return float(np.median(crystals or boxes))


def _numbers(rule: PackingRule, rng: np.random.Generator) -> IntArray:
    of_one = rng.random() < 1 - rule.soups
    pool = rule.compositions[int(rng.integers(len(rule.compositions)))] if of_one else np.array(rule.species)
    return rng.choice(pool, int(rng.integers(*rule.atoms)))


def _has_room(allowed: FloatArray, vectors: FloatArray, edge: float) -> bool:
    """Whether an atom at these vectors from the others is too near to none."""
    nearest = vectors - edge * np.round(vectors / edge)
    return bool((np.linalg.norm(nearest, axis=1) >= allowed).all())
