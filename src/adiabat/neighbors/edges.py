"""Edges of structures, by a search over cells, in canonical order."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import torch
from ase import Atoms
from torch import Tensor

from adiabat.errors import StructureError
from adiabat.kernels.edges import EdgeList, ShortestEdge, Structures, expanded, search_edges
from adiabat.runs import allowed_threads
from adiabat.system import Batch, Graph
from adiabat.typing import FloatArray, IntArray

SHORTEST_DISTANCE = 1e-3
"""Å. Closer atoms have no meaningful direction between them."""

LARGEST_COORDINATE = 1e5
"""Å. A structure that gets there has flown apart, and rounding begins to tell."""


@dataclass(frozen=True, eq=False)
class SearchedEdges:
    """Edges of a search, expanded to tensors where these are asked for.

    Attributes:
        found: As the kernels walk them.
        device: Where the tensors are.
    """

    found: EdgeList
    device: torch.device

    def __len__(self) -> int:
        return self.found.edges

    @property
    def center(self) -> Tensor:
        """(E,) int64."""
        return self._expanded[0]

    @property
    def neighbor(self) -> Tensor:
        """(E,) int64."""
        return self._expanded[1]

    @property
    def shift(self) -> Tensor:
        """(E, 3) int64."""
        return self._expanded[2]

    @cached_property
    def _expanded(self) -> tuple[Tensor, Tensor, Tensor]:
        center, neighbor, shift = (torch.from_numpy(array).to(self.device) for array in expanded(self.found))
        return center, neighbor, shift


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
    positions, cells = (t.detach().cpu().to(torch.float64).contiguous().numpy() for t in (batch.positions, batch.cell))
    pbc, numbers = batch.pbc.cpu().contiguous().numpy(), batch.numbers.cpu().contiguous().numpy()
    start = np.concatenate([[0], np.cumsum(batch.counts.cpu().numpy())])
    ranges = [slice(first, last) for first, last in pairwise(start)]
    if not (_are_near(positions) and _are_near(cells)):
        for s, atoms in enumerate(ranges):
            _refuse_lost(positions[atoms], cells[s], place=f"structure {s}")
    boxes = cells.copy()
    for s in np.flatnonzero(~pbc.all(axis=1)):
        boxes[s] = _box(positions[ranges[s]], cells[s], pbc[s], cutoff)
    structures = Structures(start, positions, boxes, pbc, numbers)
    edges, shortest = _searched(structures, cutoff, threads=allowed_threads())
    if shortest is not None:
        _refuse_coincident(shortest, start)
    return Graph(batch, SearchedEdges(edges, batch.positions.device), cutoff)


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
    structures = Structures(
        start=np.array([0, len(atoms)]),
        positions=np.ascontiguousarray(atoms.positions),
        boxes=box[None],
        periodic=atoms.pbc[None],
        numbers=atoms.numbers.astype(np.int64),
    )
    center, neighbor, shift = expanded(_searched(structures, cutoff, threads=1)[0])
    # Of an edge and the one back, the one that does not descend: in its atoms or, from an atom to its image, in its shift.
    first = shift[np.arange(len(shift)), (shift != 0).argmax(axis=1)]
    once = (center < neighbor) | ((center == neighbor) & (first > 0))
    center, neighbor = center[once], neighbor[once]
    offsets: FloatArray = shift[once].astype(np.float64) @ atoms.cell.array
    return center, neighbor, atoms.positions[neighbor] - atoms.positions[center] + offsets


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


def _searched(structures: Structures, cutoff: float, *, threads: int) -> tuple[EdgeList, ShortestEdge | None]:
    try:
        return search_edges(structures, cutoff, threads=threads)
    except ValueError as error:
        raise StructureError(
            f"no edges up to {cutoff} Å: {error}",
            rule="atoms of a structure are about as dense as in matter",
            mend="see whether cell and coordinates are in Å",
        ) from error


def _are_near(rows: FloatArray) -> bool:
    """Whether all are finite, and near enough."""
    return bool((np.abs(rows) <= LARGEST_COORDINATE).all())


def _refuse_lost(positions: FloatArray, cell: FloatArray, *, place: str) -> None:
    for name, rows in (("atom", positions), ("cell vector", cell)):
        if not _are_near(rows):
            row = int((np.abs(rows) <= LARGEST_COORDINATE).all(-1).argmin())
            raise StructureError(
                f"{name} {row} is at {rows[row].tolist()} Å",
                place=place,
                rule=f"coordinates are finite and within {LARGEST_COORDINATE:.0e} Å",
                mend="see whether the structure has flown apart, and whether its coordinates are in Å",
            )


def _refuse_coincident(shortest: ShortestEdge, start: IntArray) -> None:
    if shortest.distance >= SHORTEST_DISTANCE:
        return
    system = int(np.searchsorted(start, shortest.center, side="right")) - 1
    center, neighbor = shortest.center - start[system], shortest.neighbor - start[system]
    raise StructureError(
        f"atoms {center} and {neighbor} (image {list(shortest.shift)}) are {shortest.distance:.1e} Å apart",
        place=f"structure {system}",
        rule=f"atoms are at least {SHORTEST_DISTANCE} Å apart",
        mend="remove the doubled atom, or mend the cell",
    )
