"""Neighbourhoods: the edges of a graph in rows of equal length, one row an atom, so that sums over neighbours are matrix products."""

from dataclasses import dataclass

import torch
from torch import Tensor

from adiabat.models.ace.density import species_index
from adiabat.system import Batch, Graph

NOWHERE = 1.5
"""Cutoffs: where a neighbour stands that is not there. Radial functions and their slopes are exactly zero beyond the cutoff."""


@dataclass(frozen=True, eq=False)
class Neighborhoods:
    """N atoms with J places for neighbours each; a place without a neighbour points to atom 0 from beyond the cutoff.

    Attributes:
        vectors: (N, J, 3) Å, from the atom to its neighbour; of length `NOWHERE` · cutoff where there is none.
        neighbor: (N, J) int64.
        species: (N,) int64: the place of each atom's element among the model's.
    """

    vectors: Tensor
    neighbor: Tensor
    species: Tensor


@dataclass(frozen=True, eq=False)
class Slots:
    """Where the edges of a graph stand in rows of equal length.

    Attributes:
        edge: (N, J) int64: an edge's number; that of edges where there is none.
        neighbor: (N, J) int64: its neighbour; 0 where there is none.
    """

    edge: Tensor
    neighbor: Tensor

    @classmethod
    def of(cls, graph: Graph) -> "Slots":
        """The slots of a graph's edges, which stand in canonical order."""
        center, neighbor = graph.center, graph.neighbor
        counts = torch.bincount(center, minlength=graph.batch.n_atoms)
        places = torch.arange(max(int(counts.max()), 1), device=center.device)
        edge = (counts.cumsum(0) - counts)[:, None] + places
        edge = torch.where(places < counts[:, None], edge, graph.n_edges)
        return cls(edge, torch.cat([neighbor, neighbor.new_zeros(1)])[edge])


def neighborhoods(graph: Graph, cutoff: float, species: tuple[int, ...]) -> Neighborhoods:
    """The neighbourhoods of a graph's atoms, differentiable in its positions, cell and displacement."""
    graph = graph.within(cutoff)
    slots = Slots.of(graph)
    index = species_index(graph.batch.numbers, species)
    return Neighborhoods(padded(graph.vectors(), slots.edge, cutoff), slots.neighbor, index)


def padded(vectors: Tensor, edge: Tensor, cutoff: float) -> Tensor:
    """(N, J, 3) Å: vectors (E, 3) in their slots; where there is none, one that ends beyond the cutoff."""
    return torch.cat([vectors, lone_vectors(vectors, 1, 1, cutoff)[0]])[edge]


def lone_vectors(like: Tensor, atoms: int, places: int, cutoff: float) -> Tensor:
    """(atoms, places, 3) Å: no neighbours."""
    return (like.new_tensor([0.0, 0.0, NOWHERE]) * cutoff).expand(atoms, places, 3)


def with_lone_atoms(atoms: Neighborhoods, count: int, cutoff: float) -> Neighborhoods:
    """The same, and after them one atom of each of `count` species without a neighbour."""
    j = atoms.neighbor.shape[1]
    lone = lone_vectors(atoms.vectors, count, j, cutoff)
    return Neighborhoods(
        torch.cat([atoms.vectors, lone]),
        torch.cat([atoms.neighbor, atoms.neighbor.new_zeros(count, j)]),
        torch.cat([atoms.species, torch.arange(count, device=atoms.species.device)]),
    )


def summed_forces(slopes: Tensor, neighbor: Tensor) -> Tensor:
    """(N, 3) eV/Å of derivatives (N, J, 3) eV/Å of the energy by the vectors: each pulls at both ends of its edge."""
    return slopes.sum(1).index_add(0, neighbor.flatten(), slopes.flatten(0, 1), alpha=-1)


def summed_virials(slopes: Tensor, vectors: Tensor, batch: Batch) -> Tensor:
    """(S, 3, 3) eV: Σ over edges of r ⊗ ∂E/∂r, made symmetric."""
    found = batch.sum_over_atoms(vectors.transpose(1, 2) @ slopes)
    return 0.5 * (found + found.transpose(1, 2))
