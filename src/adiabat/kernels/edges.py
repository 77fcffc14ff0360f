"""Compiled edges: searched for, or listed; arrays in, arrays out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adiabat.kernels import _core
from adiabat.typing import FloatArray, IntArray

EdgeList = _core.EdgeList
"""Directed edges in the order in which the kernels walk; 4 bytes for each edge, and some tens for each atom."""


@dataclass(frozen=True)
class ShortestEdge:
    """The shortest edge of a search; of several, the first in canonical order.

    Attributes:
        distance: Å.
        center: Atom.
        neighbor: Atom.
        shift: The neighbour's image, in cell vectors.
    """

    distance: float
    center: int
    neighbor: int
    shift: tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Structures:
    """Where atoms are, structure by structure.

    Attributes:
        start: (S + 1,) the first atom of each structure, and the number of all.
        positions: (N, 3) Å.
        boxes: (S, 3, 3) Å, rows are vectors. Those of open directions are orthogonal to the others, and longer than the
            extent of the atoms and the cutoff together.
        periodic: (S, 3) bool.
        numbers: (N,) what kinds the atoms are of.
    """

    start: IntArray
    positions: FloatArray
    boxes: FloatArray
    periodic: NDArray[np.bool_]
    numbers: IntArray


def search_edges(structures: Structures, cutoff: float, *, threads: int = 1) -> tuple[EdgeList, ShortestEdge | None]:
    """All directed edges shorter than the cutoff, by centre, neighbour, then shift, and the shortest of them.

    Args:
        structures: Where the atoms are.
        cutoff: Å.
        threads: At most so many; the result does not depend on it.

    Raises:
        ValueError: A shape; a position that is not finite; a cell so thin that an atom has too many images.
        TypeError: Another type or layout.
    """
    s = structures
    edges, shortest = _core.search(s.start, s.positions, s.boxes, s.periodic, s.numbers, cutoff, threads)
    return edges, None if shortest is None else ShortestEdge(*shortest)


def listed_edges(systems: int, center: IntArray, neighbor: IntArray, shift: IntArray, system: IntArray) -> EdgeList:
    """Edges that somebody else found.

    Args:
        systems: Number of structures.
        center: (E,), ascending.
        neighbor: (E,).
        shift: (E, 3), the neighbour's image in cell vectors.
        system: (N,) the structure of each atom.

    Raises:
        ValueError: Lengths that differ, centres that descend.
        IndexError: An atom or a structure that does not exist.
        TypeError: Another type or layout.
    """
    return _core.listed_edges(systems, center, neighbor, shift, system)


def expanded(edges: EdgeList) -> tuple[IntArray, IntArray, IntArray]:
    """(E,) centres, ascending, (E,) neighbours, (E, 3) shifts."""
    count = edges.edges
    center, neighbor, shift = np.empty(count, np.int64), np.empty(count, np.int64), np.empty((count, 3), np.int64)
    edges.expand(center, neighbor, shift)
    return center, neighbor, shift
