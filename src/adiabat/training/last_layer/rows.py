"""Structures as rows of what a network is linear in, with what the whole network leaves of their labels."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from adiabat.neighbors import neighbor_graph
from adiabat.potential.linear_terms import LinearTerms
from adiabat.system import Batch
from adiabat.training.examples import VOIGT, Block, Example
from adiabat.training.gradient.targets import Target
from adiabat.typing import FloatArray

KEPT_NUMBERS = 3e7
"""Of rows that are kept, where all together are no more: they are gone through several times."""


@dataclass(frozen=True, eq=False)
class RowSource:
    """Rows of structures, made when they are asked for; kept where they are few.

    Attributes:
        model: Whose rows.
        targets: Structures, and what the trained network leaves of their labels.
    """

    model: LinearTerms
    targets: Sequence[Target]
    _kept: dict[int, Example] = field(default_factory=dict)

    def __call__(self, place: int) -> Example:
        """Of one structure. All columns stand as if they were of one species."""
        if place in self._kept:
            return self._kept[place]
        made = example_of(self.model, self.targets[place])
        if self._all_numbers <= KEPT_NUMBERS:
            self._kept[place] = made
        return made

    @property
    def _all_numbers(self) -> float:
        return len(self.model.coefficients) * sum(10.0 + 3 * target.atoms for target in self.targets)


def example_of(model: LinearTerms, target: Target) -> Example:
    """The rows of one structure."""
    batch = Batch.from_atoms(target.structure.atoms)
    rows = model.design_rows(neighbor_graph(batch, model.cutoff))
    found: dict[str, tuple[FloatArray, FloatArray | None]] = {
        "energy": (rows.energy.numpy()[None] / batch.n_atoms, target.energy),
        "forces": (rows.forces.numpy(), target.forces),
    }
    if target.stress is not None:
        found["stress"] = rows.virial.numpy()[VOIGT] / float(batch.volume[0]), target.stress
    blocks = {kind: Block(of, rest) for kind, (of, rest) in found.items() if rest is not None}
    species = np.zeros(batch.n_atoms, dtype=np.int64)
    return Example(blocks, rows.features.numpy(), species, target.structure.config_type)
