"""SkinList: a neighbour list that serves until an atom has moved through half of its skin."""

from dataclasses import dataclass

import torch
from torch import Tensor

from adiabat.neighbors.edges import neighbor_graph
from adiabat.system import Batch, Graph


@dataclass
class SkinList:
    """Edges up to cutoff + skin, searched anew when they could miss a pair.

    Owned by whoever moves the atoms (a run, a calculator); `reference` is part of a checkpoint.

    Attributes:
        cutoff: Å, within which no pair may be missed.
        skin: Å, beyond it.
        reference: The batch of the last search.
    """

    cutoff: float
    skin: float = 1.0
    reference: Batch | None = None
    _graph: Graph | None = None

    def graph(self, batch: Batch) -> Graph:
        """The graph of `batch`, its edges those of the last search where these still serve."""
        if self._graph is None or self.reference is None or not self._serves(batch, self.reference):
            return self.search_at(batch, batch)
        return self._graph.on(batch)

    def search_at(self, reference: Batch, batch: Batch) -> Graph:
        """Search at `reference` (a restart repeats the search that was in force) and return the edges over `batch`."""
        self.reference = Batch(*(t.detach().clone() for t in _tensors(reference)))
        self._graph = neighbor_graph(self.reference, self.cutoff + self.skin)
        return self._graph.on(batch)

    def _serves(self, batch: Batch, reference: Batch) -> bool:
        """Whether no pair beyond cutoff + skin at the search can now be within the cutoff.

        A homogeneous deformation F takes a distance d to at least s·d, s the least singular value of F; what atoms moved
        beyond it, at most u each, takes off 2u. So s·(cutoff + skin) - 2u >= cutoff is safe.
        """
        if not self._same_structures(batch, reference):
            return False
        deformation = _deformation(batch, reference)
        smallest = torch.linalg.svdvals(deformation)[:, -1]
        carried = torch.einsum("na,nab->nb", reference.positions, deformation[reference.system])
        moved = (batch.positions.detach() - carried).square().sum(-1).sqrt()
        furthest = torch.zeros_like(smallest).scatter_reduce(0, batch.system, moved, "amax")
        return bool((smallest * (self.cutoff + self.skin) - 2 * furthest >= self.cutoff).all())

    @staticmethod
    def _same_structures(batch: Batch, reference: Batch) -> bool:
        return (
            batch.positions.shape == reference.positions.shape
            and torch.equal(batch.system, reference.system)
            and torch.equal(batch.pbc, reference.pbc)
            and torch.equal(batch.numbers, reference.numbers)
        )


def _tensors(batch: Batch) -> tuple[Tensor, ...]:
    return batch.positions, batch.cell, batch.pbc, batch.numbers, batch.system


def _deformation(batch: Batch, reference: Batch) -> Tensor:
    """(S, 3, 3) F with cell = reference cell · F; the identity where the cell has not changed or spans no volume."""
    identity = torch.eye(3, dtype=batch.cell.dtype, device=batch.cell.device).expand(batch.n_systems, 3, 3)
    changed = (batch.cell.detach() != reference.cell).any(-1).any(-1) & (reference.volume > 0)
    safe = torch.where(changed[:, None, None], reference.cell, identity)
    return torch.where(changed[:, None, None], torch.linalg.solve(safe, batch.cell.detach()), identity)
