"""Edges of a batch, by vesin, in canonical order."""

from itertools import pairwise

import numpy as np
import torch
import vesin
from ase import Atoms

from adiabat.errors import StructureError
from adiabat.kernels import canonical_edge_order
from adiabat.system import Batch, Graph
from adiabat.typing import FloatArray, IntArray

SHORTEST_DISTANCE = 1e-3
"""Å. Closer atoms have no meaningful direction between them."""

LARGEST_COORDINATE = 1e5
"""Å. Some way beyond it the search ends the process (too many cells); a structure that gets there has flown apart."""


def neighbor_graph(batch: Batch, cutoff: float) -> Graph:
    """All directed edges shorter than `cutoff`, periodic images included, however thin the cell.

    Args:
        batch: The structures.
        cutoff: Å.

    Returns:
        A graph whose edges stand in canonical order.

    Raises:
        StructureError: Two atoms (or an atom and its own image) coincide, or a coordinate is not finite or too large.
    """
    positions = batch.positions.detach().cpu().to(torch.float64).numpy()
    cell = batch.cell.detach().cpu().to(torch.float64).numpy()
    pbc, counts = batch.pbc.cpu().numpy(), batch.counts.cpu().numpy()
    starts = np.concatenate([[0], np.cumsum(counts)])
    centers, neighbors, shifts = [], [], []
    for s, (start, stop) in enumerate(pairwise(starts)):
        _refuse_lost(positions[start:stop], cell[s], place=f"structure {s}")
        center, neighbor, shift = _edges(positions[start:stop], cell[s], pbc[s], cutoff)
        _refuse_coincident(positions[start:stop], cell[s], center, neighbor, shift, system=s)
        centers.append(center + start)
        neighbors.append(neighbor + start)
        shifts.append(shift)
    device = batch.positions.device
    center, neighbor, shift = (np.concatenate(parts) for parts in (centers, neighbors, shifts))
    return Graph(
        batch=batch,
        center=torch.from_numpy(center).to(device),
        neighbor=torch.from_numpy(neighbor).to(device),
        shift=torch.from_numpy(shift).to(device),
        cutoff=cutoff,
    )


def pair_vectors(atoms: Atoms, cutoff: float, *, place: str = "structure") -> tuple[IntArray, IntArray, FloatArray]:
    """All undirected pairs closer than `cutoff`, periodic images included, in no particular order; coincident atoms too.

    Args:
        atoms: One structure.
        cutoff: Å.
        place: Which structure it is, for the error.

    Returns:
        (P,) first atom, (P,) second atom (the same one for an atom and its image), (P, 3) Å from first to second.

    Raises:
        StructureError: A coordinate is not finite or too large.
    """
    _refuse_lost(atoms.positions, atoms.cell.array, place=place)
    box = _box(atoms.positions, atoms.cell.array, atoms.pbc, cutoff)
    search = vesin.NeighborList(cutoff=cutoff, full_list=False, n_threads=1)
    first, second, vectors = search.compute(atoms.positions, box, atoms.pbc, quantities="ijD")
    return first.astype(np.int64), second.astype(np.int64), vectors.reshape(-1, 3)


def completed_cell(cell: FloatArray, pbc: np.ndarray, extent: float) -> FloatArray:
    """The cell with vectors of the open directions replaced by ones orthogonal to all others, of length `extent`."""
    completed = np.where(pbc[:, None], cell, 0.0)
    for direction in np.flatnonzero(~pbc):
        others = np.delete(completed, direction, axis=0)
        completed[direction] = extent * np.linalg.svd(others)[2][-1]
    return completed


def _box(positions: FloatArray, cell: FloatArray, pbc: np.ndarray, cutoff: float) -> FloatArray:
    """A cell in which images along the open directions lie beyond the cutoff."""
    extent = float(np.ptp(positions, axis=0).max(initial=0.0)) + 2 * cutoff + 1.0
    return completed_cell(cell, pbc, extent)


def _edges(
    positions: FloatArray, cell: FloatArray, pbc: np.ndarray, cutoff: float
) -> tuple[IntArray, IntArray, IntArray]:
    box = _box(positions, cell, pbc, cutoff)
    search = vesin.NeighborList(cutoff=cutoff, full_list=True, n_threads=1)
    i, j, shift = search.compute(positions, box, pbc, quantities="ijS")
    i, j = i.astype(np.int64), j.astype(np.int64)
    shift = np.ascontiguousarray(shift, dtype=np.int64).reshape(-1, 3)
    order = canonical_edge_order(len(positions), i, j, shift)
    return i[order], j[order], shift[order]


def _refuse_lost(positions: FloatArray, cell: FloatArray, *, place: str) -> None:
    for name, rows in (("atom", positions), ("cell vector", cell)):
        within = (np.abs(rows) <= LARGEST_COORDINATE).all(-1)
        if not within.all():
            row = int(within.argmin())
            raise StructureError(
                f"{name} {row} is at {rows[row].tolist()} Å",
                place=place,
                rule=f"coordinates are finite and within {LARGEST_COORDINATE:.0e} Å",
                mend="see whether the structure has flown apart, and whether its coordinates are in Å",
            )


def _refuse_coincident(
    positions: FloatArray, cell: FloatArray, center: IntArray, neighbor: IntArray, shift: IntArray, *, system: int
) -> None:
    vectors = positions[neighbor] - positions[center] + shift @ cell
    squared = np.einsum("ed,ed->e", vectors, vectors)
    if len(squared) and squared.min() < SHORTEST_DISTANCE**2:
        edge = int(squared.argmin())
        raise StructureError(
            f"atoms {center[edge]} and {neighbor[edge]} (image {shift[edge].tolist()}) are {squared[edge] ** 0.5:.1e} Å apart",
            place=f"structure {system}",
            rule=f"atoms are at least {SHORTEST_DISTANCE} Å apart",
            mend="remove the doubled atom, or mend the cell",
        )
