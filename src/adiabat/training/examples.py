"""Examples: structures with what is left of their labels for the linear model to learn, as rows of a regression."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from torch import Tensor

from adiabat.models import LinearACE
from adiabat.neighbors import neighbor_graph
from adiabat.potential import Potential
from adiabat.system import Batch, Labelled
from adiabat.typing import FloatArray

KINDS = ("energy", "forces", "stress")
VOIGT = ((0, 1, 2, 1, 0, 0), (0, 1, 2, 2, 2, 1))
NoiseFactors = Mapping[tuple[str, str], float]
"""By (kind of label, config_type): standard deviation of a row relative to what it is for the kind; one where it lacks."""
ONE_LEVEL: NoiseFactors = MappingProxyType({})
"""The same noise for all config_types."""


@dataclass(frozen=True)
class Block:
    """Rows of one kind of label.

    Attributes:
        rows: (n, columns).
        targets: (n,) in eV per atom, eV/Å or eV/Å³.
    """

    rows: FloatArray
    targets: FloatArray


@dataclass(frozen=True)
class Example:
    """The rows of one structure.

    Attributes:
        blocks: By kind of label; only those that the structure has.
        features: (n, functions).
        species: (n,) the place of each atom's species.
        config_type: The kind of structure.
    """

    blocks: dict[str, Block]
    features: FloatArray
    species: np.ndarray
    config_type: str = "default"


@dataclass(frozen=True)
class ExampleMaker:
    """Turns labelled structures into rows, what the baseline explains taken off.

    Attributes:
        model: The linear model; its coefficients play no part.
        baseline: Isolated atoms and repulsion.
    """

    model: LinearACE
    baseline: Potential

    def __call__(self, structure: Labelled) -> Example:
        """The rows of one structure."""
        batch = Batch.from_atoms(structure.atoms)
        graph = neighbor_graph(batch, max(self.model.cutoff, self.baseline.cutoff))
        rows = self.model.design_rows(graph)
        labels, n_atoms, blocks = structure.labels, batch.n_atoms, {}
        if labels.energy is not None:
            known = value(self.baseline(graph, want=("energy",)).energy)[0]
            blocks["energy"] = Block(rows.energy.numpy()[None] / n_atoms, np.array([(labels.energy - known) / n_atoms]))
        if labels.forces is not None:
            known = value(self.baseline(graph, want=("forces",)).forces)
            blocks["forces"] = Block(rows.forces.numpy(), (labels.forces - known).ravel())
        if labels.stress is not None:
            known = value(self.baseline(graph, want=("stress",)).stress)[0]
            volume = float(batch.volume[0])
            blocks["stress"] = Block((rows.virial.numpy() / volume)[VOIGT], (labels.stress - known)[VOIGT])
        species = np.searchsorted(self.model.species, structure.atoms.numbers)
        return Example(blocks, rows.features.numpy(), species, structure.config_type)


def value(quantity: Tensor | None) -> FloatArray:
    """A field of a prediction that was asked for, as an array."""
    if quantity is None:
        raise TypeError("the prediction lacks what was asked for")
    return quantity.numpy()


def count_rows(structures: list[Labelled]) -> int:
    """Rows that the labels of these structures make."""
    return sum(
        (s.labels.energy is not None)
        + 3 * len(s.atoms) * (s.labels.forces is not None)
        + 6 * (s.labels.stress is not None)
        for s in structures
    )
