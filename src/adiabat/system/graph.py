"""Graph: a batch and its directed edges."""

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from adiabat.system.batch import Batch


@dataclass(frozen=True)
class Graph:
    """Directed edges from each atom (centre) to its neighbours, periodic images among them.

    Edges stand in canonical order: by centre, neighbour, shift. Each bond is there twice, once from either end.
    A graph may hold edges beyond a model's cutoff: each model cuts for itself.

    Attributes:
        batch: The structures.
        center: (E,) int64.
        neighbor: (E,) int64.
        shift: (E, 3) int64: the neighbour's image, in cell vectors.
        cutoff: Å: every pair closer than this is an edge.
    """

    batch: Batch
    center: Tensor
    neighbor: Tensor
    shift: Tensor
    cutoff: float

    @property
    def n_edges(self) -> int:
        """Number of directed edges."""
        return self.center.shape[0]

    def vectors(self) -> Tensor:
        """(E, 3) Å, from centre to neighbour, by the batch's present positions and cell; differentiable in both."""
        batch = self.batch
        cell = batch.cell[batch.system[self.center]]
        offset = torch.einsum("ea,eab->eb", self.shift.to(cell.dtype), cell)
        return batch.positions[self.neighbor] - batch.positions[self.center] + offset

    def on(self, batch: Batch) -> Self:
        """The same edges over moved atoms."""
        return replace(self, batch=batch)

    def within(self, cutoff: float) -> Self:
        """The edges that are now shorter than `cutoff` (Å)."""
        near = (self.vectors().detach().square().sum(-1) < cutoff**2).nonzero().squeeze(-1)
        return replace(
            self,
            center=self.center[near],
            neighbor=self.neighbor[near],
            shift=self.shift[near],
            cutoff=min(cutoff, self.cutoff),
        )
