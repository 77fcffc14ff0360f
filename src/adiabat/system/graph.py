"""Graph: a batch and its directed edges."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol, Self

import torch
from torch import Tensor

from adiabat.system.batch import Batch


class Edges(Protocol):
    """Directed edges, in canonical order: by centre, neighbour, shift."""

    def __len__(self) -> int: ...

    @property
    def center(self) -> Tensor:
        """(E,) int64."""
        ...

    @property
    def neighbor(self) -> Tensor:
        """(E,) int64."""
        ...

    @property
    def shift(self) -> Tensor:
        """(E, 3) int64: the neighbour's image, in cell vectors."""
        ...


@dataclass(frozen=True, eq=False)
class ListedEdges:
    """Edges as they are listed, one by one.

    Attributes:
        center: (E,) int64.
        neighbor: (E,) int64.
        shift: (E, 3) int64.
    """

    center: Tensor
    neighbor: Tensor
    shift: Tensor

    def __len__(self) -> int:
        return len(self.center)


@dataclass(frozen=True, eq=False)
class Graph:
    """Directed edges from each atom (centre) to its neighbours, periodic images among them.

    Edges stand in canonical order: by centre, neighbour, shift. Each bond is there twice, once from either end.
    A graph may hold edges beyond a model's cutoff: each model cuts for itself.

    Attributes:
        batch: The structures.
        edges: The edges; those that were searched for are expanded to tensors only where these are asked for.
        cutoff: Å: every pair closer than this is an edge.
        displacement: (E, 3) Å, added to the edge vectors: zeros, by which the derivatives by single edges are taken. None:
            nothing is added.
    """

    batch: Batch
    edges: Edges
    cutoff: float
    displacement: Tensor | None = None

    @property
    def n_edges(self) -> int:
        """Number of directed edges."""
        return len(self.edges)

    @property
    def center(self) -> Tensor:
        """(E,) int64."""
        return self.edges.center

    @property
    def neighbor(self) -> Tensor:
        """(E,) int64."""
        return self.edges.neighbor

    @property
    def shift(self) -> Tensor:
        """(E, 3) int64: the neighbour's image, in cell vectors."""
        return self.edges.shift

    def vectors(self) -> Tensor:
        """(E, 3) Å, from centre to neighbour, by the batch's present positions and cell; differentiable in both."""
        batch = self.batch
        cell = batch.cell[batch.system[self.center]]
        offset = torch.einsum("ea,eab->eb", self.shift.to(cell.dtype), cell)
        vectors = batch.positions[self.neighbor] - batch.positions[self.center] + offset
        return vectors if self.displacement is None else vectors + self.displacement

    def on(self, batch: Batch) -> Self:
        """The same edges over moved atoms.

        Raises:
            ValueError: The batch is of other structures.
        """
        system = self.batch.system
        if batch.system is not system and not torch.equal(batch.system, system):
            raise ValueError("the edges of one batch are put over another: its atoms stand in other structures")
        return type(self)(batch, self.edges, self.cutoff, self.displacement)

    def within(self, cutoff: float) -> Self:
        """The edges that are now shorter than `cutoff` (Å)."""
        near = (self.vectors().detach().square().sum(-1) < cutoff**2).nonzero().squeeze(-1)
        return replace(self.selected(near), cutoff=min(cutoff, self.cutoff))

    def selected(self, chosen: Tensor) -> Self:
        """Some of the edges, by ascending numbers or by a mask."""
        edges = ListedEdges(self.center[chosen], self.neighbor[chosen], self.shift[chosen])
        return replace(self, edges=edges, displacement=None if self.displacement is None else self.displacement[chosen])

    def one_by_one(self) -> Iterator[Self]:
        """Each structure's own graph, in their order."""
        if self.batch.n_systems == 1:
            yield self
            return
        of_edge = self.batch.system[self.center]
        stops = self.batch.counts.cumsum(0).tolist()
        for system, (start, stop) in enumerate(pairwise([0, *stops])):
            own = self.selected((of_edge == system).nonzero().squeeze(-1))
            edges = ListedEdges(own.center - start, own.neighbor - start, own.shift)
            yield replace(own, edges=edges, batch=self.batch.one(system, slice(start, stop)))
