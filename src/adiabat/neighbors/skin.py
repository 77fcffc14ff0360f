"""SkinList: a neighbour list that serves until an atom has moved through half of its skin."""

from dataclasses import dataclass
from math import inf

import torch
from torch import Tensor

from adiabat.errors import ConfigurationError
from adiabat.neighbors.edges import neighbor_graph
from adiabat.system import Batch, Graph

FLAT = 1e-6
"""Of the product of the lengths of a cell's vectors: a smaller volume is none."""


@dataclass
class SkinList:
    """Edges up to cutoff + skin, searched anew when they could miss a pair.

    Owned by whoever moves the atoms (a run, a calculator); `reference` is part of a checkpoint.

    Attributes:
        cutoff: Å, within which no pair may be missed.
        skin: Å, beyond it.
        reference: The batch of the last search.

    Raises:
        ConfigurationError: The cutoff is not positive, or the skin negative.
    """

    cutoff: float
    skin: float = 1.0
    reference: Batch | None = None
    _graph: Graph | None = None

    def __post_init__(self) -> None:
        if not (0 < self.cutoff < inf and 0 <= self.skin < inf):
            raise ConfigurationError(
                f"a skin of {self.skin} Å around a cutoff of {self.cutoff} Å",
                rule="a cutoff is positive, a skin is not negative",
                mend="give other lengths",
            )

    def graph(self, batch: Batch) -> Graph:
        """The graph of `batch`, its edges those of the last search where these still serve."""
        if self._graph is None or self.reference is None or not self._serves(batch, self.reference):
            return self.search_at(batch, batch)
        return self._graph.on(batch)

    def search_at(self, reference: Batch, batch: Batch) -> Graph:
        """Search at `reference` (a restart repeats the search that was in force) and return the edges over `batch`."""
        copy = Batch(*(t.detach().clone() for t in _tensors(reference)))
        self._graph = neighbor_graph(copy, self.cutoff + self.skin)
        self.reference = copy  # not before: a search that is refused leaves the list as it was
        return self._graph.on(batch)

    def _serves(self, batch: Batch, reference: Batch) -> bool:
        """Whether no pair beyond cutoff + skin at the search can now be within the cutoff.

        A homogeneous deformation F takes a distance d to at least s·d, s the least singular value of F; what atoms moved
        beyond it, at most u each, takes off 2u. So s·(cutoff + skin) - 2u >= cutoff is safe.
        """
        if not self._same_structures(batch, reference):
            return False
        positions = batch.positions.detach()
        if torch.equal(batch.cell, reference.cell):
            moved = torch.linalg.vector_norm(positions - reference.positions, dim=-1)
            return 2 * float(moved.max()) <= self.skin
        deformation = _deformation(batch, reference)
        if deformation is None:
            return False
        smallest = torch.linalg.svdvals(deformation)[:, -1]
        carried = torch.einsum("na,nab->nb", reference.positions, deformation[reference.system])
        moved = torch.linalg.vector_norm(positions - carried, dim=-1)
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


def _deformation(batch: Batch, reference: Batch) -> Tensor | None:
    """(S, 3, 3) F with cell = reference cell · F, the identity where the cell has not changed.

    None where a cell has changed that spans no volume (of a slab, say): it does not say how space was deformed.
    """
    identity = torch.eye(3, dtype=batch.cell.dtype, device=batch.cell.device).expand(batch.n_systems, 3, 3)
    changed = (batch.cell.detach() != reference.cell).any(-1).any(-1)
    flat = reference.volume <= FLAT * torch.linalg.vector_norm(reference.cell, dim=-1).prod(-1)
    if bool((changed & flat).any()):
        return None
    safe = torch.where(changed[:, None, None], reference.cell, identity)
    return torch.where(changed[:, None, None], torch.linalg.solve(safe, batch.cell.detach()), identity)
