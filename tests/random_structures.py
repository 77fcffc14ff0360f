"""Random structures for hypothesis: any cell, any mixture of periodic directions, atoms anywhere; and all their edges."""

from itertools import product

import numpy as np
from ase import Atoms
from hypothesis import assume
from hypothesis import strategies as st

from adiabat.typing import FloatArray

Edge = tuple[int, int, int, int, int]
"""Centre, neighbour, shift along each cell vector."""

CLEAR = 1e-6
"""Å: no distance lies closer than this to the cutoff, where rounding decides."""

PERIODICITIES = tuple(product((False, True), repeat=3))


@st.composite
def structures(draw: st.DrawFn, *, atoms: int = 5) -> Atoms:
    """One structure; its cell is triclinic, of either handedness, often thin, and arbitrary along open directions."""
    pbc = np.array(draw(st.sampled_from(PERIODICITIES)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = rng.integers(1, atoms + 1)  # hypothesis would draw one atom most of the time
    cell = random_cell(rng, pbc)
    outside = rng.integers(-2, 3, (n, 3)) * rng.integers(0, 2) * pbc
    return Atoms("X" * n, positions=rng.normal(scale=2.0, size=(n, 3)) + outside @ cell, cell=cell, pbc=pbc)


def random_cell(rng: np.random.Generator, pbc: np.ndarray) -> FloatArray:
    """(3, 3); planes of the periodic lattice are at least 0.8 Å apart."""
    while True:
        cell = rng.choice([2.5, 5.0]) * rng.uniform(-1, 1, (3, 3))
        if (np.linalg.norm(np.linalg.pinv(cell[pbc]), axis=0) < 1 / 0.8).all():
            return cell


def all_edges(atoms: Atoms, cutoff: float) -> dict[Edge, float]:
    """Every directed edge shorter than the cutoff, with its length, by trying each image that could be near enough.

    Along a periodic direction k the distance of a pair is at least |fraction_k + shift_k| times the height of the cell.
    """
    periodic = np.flatnonzero(atoms.pbc)
    ranges = [range(1)] * 3
    if len(periodic):
        inverse = np.linalg.pinv(atoms.cell.array[periodic])
        spread = np.ptp(atoms.positions @ inverse, axis=0)
        reach = cutoff * np.linalg.norm(inverse, axis=0)
        for direction, n in zip(periodic, np.ceil(spread + reach).astype(int), strict=True):
            ranges[direction] = range(-n, n + 1)
    edges = {}
    for shift in product(*ranges):
        vectors = atoms.positions[None, :] + np.array(shift) @ atoms.cell.array - atoms.positions[:, None]
        distances = np.linalg.norm(vectors, axis=-1)
        for i, j in np.argwhere(distances < cutoff + CLEAR):
            if (i, j) != (j, i) or any(shift):
                edges[(int(i), int(j), *shift)] = float(distances[i, j])
    return edges


def clear_edges(atoms: Atoms, cutoff: float) -> dict[Edge, float]:
    """As `all_edges`; hypothesis drops structures with coincident atoms, or with a distance at the cutoff."""
    edges = all_edges(atoms, cutoff)
    assume(all(1e-2 < distance < cutoff - CLEAR for distance in edges.values()))
    return edges
