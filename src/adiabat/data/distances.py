"""Distances between atoms in a data set: the shortest per pair of species, the nearest of each atom."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adiabat.neighbors import pair_vectors
from adiabat.runs import track
from adiabat.system import Labelled, require_valid
from adiabat.typing import FloatArray

NEAR = 6.0
"""Å. Pairs of species that never come closer count as pairs that do not occur."""


@dataclass(frozen=True)
class Distances:
    """Distances within `NEAR`, periodic images included.

    Attributes:
        shortest: Å, by pair of atomic numbers, the lower first; only pairs that occur.
        nearest: Per structure (n,) Å, the distance of each atom's nearest neighbour; infinite without one.
        closest: Per structure the two atoms that are closest; (0, 0) where there is no pair.
        crowding: Per structure (n,) ½ Σ √(Z Z') (1 - d²/NEAR²)³ over each atom's neighbours: the same for the same
            surroundings however a structure is moved, rotated or wrapped, so that it tells which structures and
            which atoms could be the same.
    """

    shortest: dict[tuple[int, int], float]
    nearest: tuple[FloatArray, ...]
    closest: tuple[tuple[int, int], ...]
    crowding: tuple[FloatArray, ...]

    def least(self) -> FloatArray:
        """(S,) Å, the shortest distance of each structure; infinite where there is no pair."""
        return np.array([nearest.min() for nearest in self.nearest])


def shortest_distances(structures: Sequence[Labelled]) -> dict[tuple[int, int], float]:
    """Å, by pair of atomic numbers (the lower first), for the pairs that come within `NEAR` of each other.

    Raises:
        StructureError: Positions or a cell that are not finite, or a periodic cell without volume.
    """
    return measure_distances(structures).shortest


def measure_distances(structures: Sequence[Labelled], *, quiet: bool = False) -> Distances:
    """All distances that describing and checking need, in one pass; raises as `shortest_distances`."""
    shortest: dict[tuple[int, int], float] = {}
    nearest, closest, crowding = [], [], []
    for structure in track(structures, "measuring distances", quiet=quiet):
        atoms = structure.atoms
        require_valid(atoms, place=structure.place)
        first, second, vectors = pair_vectors(atoms, NEAR, place=structure.place)
        distance = np.sqrt((vectors**2).sum(axis=1))
        of_atom = np.full(len(atoms), np.inf)
        np.minimum.at(of_atom, first, distance)
        np.minimum.at(of_atom, second, distance)
        nearest.append(of_atom)
        closest.append(_closest(first, second, distance))
        weight = np.sqrt(atoms.numbers[first] * atoms.numbers[second])
        share = 0.5 * weight * (1 - (distance / NEAR) ** 2) ** 3
        crowding.append(sum(np.bincount(atom, share, minlength=len(atoms)) for atom in (first, second)))
        _take_shortest(shortest, atoms.numbers[first], atoms.numbers[second], distance)
    ordered = dict(sorted(shortest.items()))
    return Distances(ordered, tuple(nearest), tuple(closest), tuple(crowding))


def _closest(first: np.ndarray, second: np.ndarray, distance: FloatArray) -> tuple[int, int]:
    if not len(distance):
        return 0, 0
    pair = int(distance.argmin())
    return int(first[pair]), int(second[pair])


def _take_shortest(
    shortest: dict[tuple[int, int], float], first: np.ndarray, second: np.ndarray, distance: FloatArray
) -> None:
    """Lower the shortest distances by those of one structure, in place."""
    species, positions = np.unique(np.concatenate([first, second]), return_inverse=True)
    low, high = np.sort(positions.reshape(2, -1), axis=0)
    table = np.full((len(species), len(species)), np.inf)
    np.minimum.at(table, (low, high), distance)
    for a, b in np.argwhere(np.isfinite(table)):
        pair = int(species[a]), int(species[b])
        shortest[pair] = min(float(table[a, b]), shortest.get(pair, np.inf))
