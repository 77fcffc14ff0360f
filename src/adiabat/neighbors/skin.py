"""SkinList: a neighbour list that serves until an atom has moved through half of its skin."""

from dataclasses import dataclass, field
from math import inf

import numpy as np
import torch
from torch import Tensor

from adiabat.errors import ConfigurationError
from adiabat.kernels.cells import deformations
from adiabat.kernels.motion import furthest
from adiabat.neighbors.edges import neighbor_graph
from adiabat.system import Batch, Graph
from adiabat.typing import FloatArray, IntArray

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
    _start: IntArray = field(default_factory=lambda: np.zeros(1, dtype=np.int64))
    _seen: tuple[Tensor, Tensor, Tensor] | None = None

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
        self._start, self._seen = copy.start, None
        self.reference = copy  # not before: a search that is refused leaves the list as it was
        return self._graph.on(batch)

    def _serves(self, batch: Batch, reference: Batch) -> bool:
        """Whether no pair beyond cutoff + skin at the search can now be within the cutoff.

        A homogeneous deformation F takes a distance d to at least s·d, s the least singular value of F; what atoms moved
        beyond it, at most u each, takes off 2u. So s·(cutoff + skin) - 2u >= cutoff is safe.
        """
        if not self._same_structures(batch, reference):
            return False
        before, after = _array(reference.positions), _array(batch.positions)
        if torch.equal(batch.cell, reference.cell):
            return bool((2 * furthest(self._start, before, after) <= self.skin).all())
        deformation, change = deformations(_array(reference.cell), _array(batch.cell), flat=FLAT)
        allowed = 2 * furthest(self._start, before, after, deformation) + self.cutoff
        reach = self.cutoff + self.skin
        # 1 - |F - 1| is at most s: where that is enough, no singular value is computed.
        if bool((reach * (1 - change) >= allowed).all()):
            return True
        if np.isnan(change).any():  # of a slab, say: its cell does not say how space was deformed
            return False
        return bool((reach * np.linalg.svd(deformation, compute_uv=False)[:, -1] >= allowed).all())

    def _same_structures(self, batch: Batch, reference: Batch) -> bool:
        constant = (batch.system, batch.pbc, batch.numbers)
        if self._seen is not None and all(one is other for one, other in zip(constant, self._seen, strict=True)):
            return True
        same = (
            batch.positions.shape == reference.positions.shape
            and torch.equal(batch.system, reference.system)
            and torch.equal(batch.pbc, reference.pbc)
            and torch.equal(batch.numbers, reference.numbers)
        )
        if same:
            self._seen = constant
        return same


def _tensors(batch: Batch) -> tuple[Tensor, ...]:
    return batch.positions, batch.cell, batch.pbc, batch.numbers, batch.system


def _array(tensor: Tensor) -> FloatArray:
    if tensor.dtype != torch.float64 or tensor.device.type != "cpu":
        tensor = tensor.to("cpu", torch.float64)
    return tensor.detach().contiguous().numpy()
