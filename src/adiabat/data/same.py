"""Which structures of a data set are one and the same, moved, wrapped or with their atoms in another order."""

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from scipy.spatial import KDTree

from adiabat.data.distances import Distances, measure_distances
from adiabat.neighbors.edges import completed_cell
from adiabat.system import Labelled
from adiabat.typing import FloatArray, IntArray

SAME_POSITION = 1e-6
"""Å, within which atoms and cell vectors are the same."""
SAME_CROWDING = 1e-6
"""Relative: more than the crowding of one structure, or of one atom, can differ by."""


def repeated(structures: Sequence[Labelled], others: Sequence[Labelled], *, quiet: bool = False) -> list[Labelled]:
    """Those of the structures that are among the others too, moved, wrapped or with their atoms in another order.

    Raises:
        StructureError: Positions or a cell that are not finite, or a periodic cell without volume.
    """
    kinds = {_kind(structure) for structure in structures}
    both = [*structures, *(other for other in others if _kind(other) in kinds)]
    groups = same_structures(both, measure_distances(both, quiet=quiet))
    found = set()
    for group in groups:
        members = [index for index, _ in group]
        if max(members) >= len(structures):
            found.update(index for index in members if index < len(structures))
    return [structures[index] for index in sorted(found)]


def same_structures(structures: Sequence[Labelled], distances: Distances) -> list[list[tuple[int, IntArray]]]:
    """Groups of two structures or more that are the same under translation, wrapping and permutation of atoms.

    Args:
        structures: The data.
        distances: Theirs.

    Returns:
        Per group its members: the index of the structure, and (n,) which of its atoms stands for each of the first's.
    """
    alike: dict[tuple[bytes, bytes], list[int]] = {}
    for index, structure in enumerate(structures):
        alike.setdefault(_kind(structure), []).append(index)
    totals = np.array([crowding.sum() for crowding in distances.crowding])
    groups = []
    for indices in alike.values():
        order = sorted(indices, key=lambda index: (totals[index], index))
        groups += [group for group in _groups(order, totals, structures, distances) if len(group) > 1]
    return groups


def _kind(structure: Labelled) -> tuple[bytes, bytes]:
    """What structures must share to be the same: species, and directions that repeat."""
    return np.sort(structure.atoms.numbers).tobytes(), structure.atoms.pbc.tobytes()


def _groups(
    order: list[int], totals: FloatArray, structures: Sequence[Labelled], distances: Distances
) -> list[list[tuple[int, IntArray]]]:
    """Group structures that stand in order of their crowding: only those of about the same crowding are compared."""
    groups: list[list[tuple[int, IntArray]]] = []
    first_open = 0
    for index in order:
        least = totals[index] - SAME_CROWDING * (1 + totals[index])
        while first_open < len(groups) and totals[groups[first_open][-1][0]] < least:
            first_open += 1
        for group in groups[first_open:]:
            first = group[0][0]
            match = _match(structures, distances, first, index)
            if match is not None:
                group.append((index, match))
                break
        else:
            groups.append([(index, np.arange(len(structures[index].atoms)))])
    return groups


def _match(structures: Sequence[Labelled], distances: Distances, first: int, second: int) -> IntArray | None:
    """(n,) the atom of `second` that stands for each atom of `first`, or None where they are not the same."""
    a, b = structures[first].atoms, structures[second].atoms
    crowding_a, crowding_b = distances.crowding[first], distances.crowding[second]
    tolerance = SAME_CROWDING * (1 + crowding_a.max())
    periodic = a.pbc
    if np.abs(a.cell.array[periodic] - b.cell.array[periodic]).max(initial=0.0) > SAME_POSITION:
        return None
    if np.abs(np.sort(crowding_a) - np.sort(crowding_b)).max() > tolerance:
        return None
    cell = completed_cell(a.cell.array, periodic, 1.0)
    to_fractions: FloatArray = np.linalg.inv(cell).astype(np.float64)
    own, other = a.positions @ to_fractions, b.positions @ to_fractions
    anchor = _most_distinctive(a, crowding_a)
    is_counterpart = (b.numbers == a.numbers[anchor]) & (np.abs(crowding_b - crowding_a[anchor]) < tolerance)
    for atom in sorted(np.flatnonzero(is_counterpart), key=lambda atom: atom != anchor):
        match = _permutation(own, other + own[anchor] - other[atom], cell, periodic)
        if match is not None and (a.numbers == b.numbers[match]).all():
            return match
    return None


def _most_distinctive(atoms: Atoms, crowding: FloatArray) -> int:
    """An atom with whose species and surroundings there are few others."""
    kinds = np.stack([atoms.numbers, crowding.round(4)])
    _, kind, counts = np.unique(kinds, axis=1, return_inverse=True, return_counts=True)
    return int(counts[kind.reshape(-1)].argmin())


def _permutation(own: FloatArray, other: FloatArray, cell: FloatArray, periodic: np.ndarray) -> IntArray | None:
    """Which row of `other` lies on each row of `own` (fractions), or None; nearly always the same row."""
    if _coincide(own, other, cell, periodic):
        return np.arange(len(own))
    box = np.where(periodic, 1.0, 0.0)
    tree = KDTree(_wrapped(other, periodic), boxsize=box)
    match = np.asarray(tree.query(_wrapped(own, periodic))[1], dtype=np.int64)
    if len(np.unique(match)) < len(own) or not _coincide(own, other[match], cell, periodic):
        return None
    return match


def _coincide(own: FloatArray, other: FloatArray, cell: FloatArray, periodic: np.ndarray) -> bool:
    apart = own - other
    apart[:, periodic] -= apart[:, periodic].round()
    return bool(np.linalg.norm(apart @ cell, axis=1).max() < SAME_POSITION)


def _wrapped(fractions: FloatArray, periodic: np.ndarray) -> FloatArray:
    """Fractions in [0, 1) along the periodic directions."""
    wrapped = fractions.copy()
    wrapped[:, periodic] -= np.floor(wrapped[:, periodic])
    wrapped[:, periodic] = np.where(wrapped[:, periodic] >= 1.0, 0.0, wrapped[:, periodic])
    return wrapped
