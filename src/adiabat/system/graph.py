"""Graph: a batch and its directed edges."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Self, TypeVar

import torch
from torch import Tensor

from adiabat.system.batch import Batch

MadeT = TypeVar("MadeT")


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
    _made: dict[str, tuple[tuple[Tensor, ...], Any]] = field(default_factory=dict, repr=False, compare=False)

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

    def made_once(self, name: str, make: Callable[[Self], MadeT]) -> MadeT:
        """What `make` makes of the edges alone, whatever the positions and cell; made anew for other edges only.

        Args:
            name: Names what is made among all that is.
            make: Takes this graph.
        """
        edges = (self.center, self.neighbor, self.shift)
        known, made = self._made.get(name, ((), None))
        same = len(known) == 4 and all(a is b for a, b in zip(edges, known[:3], strict=True))
        if not same or not torch.equal(known[3], self.batch.system):
            made = make(self)
            self._made[name] = ((*edges, self.batch.system), made)
        return made

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
