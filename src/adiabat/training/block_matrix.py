"""Symmetric matrices over (species, functions), by pairs of species: what no structure touches is not there."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor

from adiabat.uncertainty.tiles import tiles

Pair = tuple[int, int]
"""Places of two species, the first not less than the second."""


@dataclass
class BlockMatrix:
    """A symmetric matrix whose columns are those of one species after the other.

    A row of the design matrix is zero in the columns of species that its structure does not hold, so that sums over the
    rows of elements and binary alloys touch a small part of a matrix for many species.

    Attributes:
        width: Columns of each species.
        blocks: (width, width) by pair of species; those that are missing are zero. Of a block on the diagonal, only what is
            on and below its own diagonal means something.
    """

    width: int
    blocks: dict[Pair, Tensor] = field(default_factory=dict)

    def adding(self, rows: Tensor, species: Sequence[int]) -> list[Callable[[], None]]:
        """The tasks that add Σ x xᵀ over rows x, none of which touches what another one does.

        Args:
            rows: (n, species · width).
            species: Places of the species whose columns these are, ascending.
        """
        columns = {place: rows[:, k * self.width : (k + 1) * self.width] for k, place in enumerate(species)}
        return [
            partial(_add_product, self._block((a, b))[down, right], columns[a][:, down], columns[b][:, right])
            for a in species
            for b in species
            if b <= a
            for down in tiles(self.width)
            for right in tiles(self.width)
            if b < a or right.start <= down.start
        ]

    def plus(self, other: "BlockMatrix", weight: float) -> "BlockMatrix":
        """The sum with a multiple of another one."""
        blocks = dict(self.blocks)
        for pair, block in other.blocks.items():
            blocks[pair] = torch.add(blocks[pair], block, alpha=weight) if pair in blocks else weight * block
        return BlockMatrix(self.width, blocks)

    def divide(self, by: float) -> None:
        """All of it, in place."""
        for block in self.blocks.values():
            block.div_(by)

    def of_species(self, place: int) -> Tensor:
        """(width, width): the block of one species, whole."""
        lower = self.blocks.get((place, place), torch.zeros(self.width, self.width, dtype=torch.float64)).tril()
        return lower + lower.tril(-1).T

    def diagonal(self, n_species: int) -> Tensor:
        """(n_species · width,)."""
        found = torch.zeros(n_species, self.width, dtype=torch.float64)
        for (a, b), block in self.blocks.items():
            if a == b:
                found[a] = block.diagonal()
        return found.flatten()

    def lower(self) -> Iterator[tuple[slice, slice, Tensor]]:
        """The blocks, and where in the lower half of the whole matrix they stand: rows, columns."""
        for (a, b), block in self.blocks.items():
            yield self._columns(a), self._columns(b), block

    def _columns(self, place: int) -> slice:
        return slice(place * self.width, (place + 1) * self.width)

    def _block(self, pair: Pair) -> Tensor:
        if pair not in self.blocks:
            self.blocks[pair] = torch.zeros(self.width, self.width, dtype=torch.float64)
        return self.blocks[pair]


def _add_product(to: Tensor, left: Tensor, right: Tensor) -> None:
    torch.addmm(to, left.T, right, out=to)
