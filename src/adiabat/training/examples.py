"""Examples: structures with what is left of their labels for the linear model to learn, as rows of a regression."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
from torch import Tensor

from adiabat.models import LinearACE
from adiabat.neighbors import neighbor_graph
from adiabat.potential import Potential
from adiabat.system import Batch, Labelled
from adiabat.typing import FloatArray, IntArray

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
        rows: (n, columns) of the species that the structure holds, one after the other; the columns of others are zero.
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

    @cached_property
    def present(self) -> tuple[int, ...]:
        """Places of the species that the structure holds, ascending."""
        return tuple(np.unique(self.species).tolist())

    def all_columns(self, rows: FloatArray, n_species: int) -> FloatArray:
        """(n, n_species · functions) rows of a block with the columns of all species."""
        wide = np.zeros((len(rows), n_species, self.features.shape[1]))
        wide[:, self.present] = rows.reshape(len(rows), len(self.present), -1)
        return wide.reshape(len(rows), -1)


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
        rows, labels = self.model.design_rows(graph), structure.labels
        known = self.baseline(graph, want=[kind for kind in KINDS if getattr(labels, kind) is not None])
        found: dict[str, tuple[FloatArray, FloatArray]] = {}
        if labels.energy is not None:
            energy = rows.energy.numpy()[None] / batch.n_atoms
            found["energy"] = energy, (labels.energy - value(known.energy)) / batch.n_atoms
        if labels.forces is not None:
            found["forces"] = rows.forces.numpy(), (labels.forces - value(known.forces)).ravel()
        if labels.stress is not None:
            stress = rows.virial.numpy()[VOIGT] / float(batch.volume[0])
            found["stress"] = stress, (labels.stress - value(known.stress)[0])[VOIGT]
        species = np.searchsorted(self.model.species, structure.atoms.numbers)
        present, n_species = np.unique(species), len(self.model.species)
        blocks = {kind: Block(_columns(of, present, n_species), targets) for kind, (of, targets) in found.items()}
        return Example(blocks, rows.features.numpy(), species, structure.config_type)


def _columns(rows: FloatArray, species: IntArray, n_species: int) -> FloatArray:
    """Those of some species."""
    if len(species) == n_species:
        return rows
    return rows.reshape(len(rows), n_species, -1).take(species, axis=1).reshape(len(rows), -1)


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
