"""Compiled operations: arrays in, arrays out."""

import numpy as np

from adiabat.kernels import _core
from adiabat.typing import IntArray


def canonical_edge_order(atoms: int, center: IntArray, neighbor: IntArray, shift: IntArray) -> IntArray:
    """The permutation that sorts directed edges by centre, neighbour, then shift.

    Args:
        atoms: Number of atoms; every centre lies in [0, atoms).
        center: (E,).
        neighbor: (E,).
        shift: (E, 3).

    Returns:
        (E,) indices.
    """
    order = np.empty(len(center), dtype=np.int64)
    _core.canonical_edge_order(atoms, center, neighbor, shift, order)
    return order
