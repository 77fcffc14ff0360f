"""Normal equations, kind of label by kind of label: all that a fit needs of its rows, in memory that does not grow with them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from safetensors.numpy import load_file, save

from adiabat.runs import atomic_write_bytes
from adiabat.training.examples import KINDS, Block, Example
from adiabat.typing import FloatArray


@dataclass
class Sums:
    """Over the rows x and targets y of one kind of label: their number, Σ x xᵀ, Σ x y, Σ y, Σ y²."""

    count: int
    gram: FloatArray
    moment: FloatArray
    total: float
    square: float

    @property
    def spread(self) -> float:
        """Standard deviation of the targets; their root mean square where they are all the same."""
        mean_square = self.square / self.count
        variance = mean_square - (self.total / self.count) ** 2
        return float(np.sqrt(variance if variance > 1e-12 * mean_square else max(mean_square, 1e-12)))

    def add(self, block: Block) -> None:
        """Take in a block of rows."""
        self.count += len(block.targets)
        self.gram += block.rows.T @ block.rows
        self.moment += block.rows.T @ block.targets
        self.total += float(block.targets.sum())
        self.square += float(block.targets @ block.targets)


class NormalEquations:
    """Sums over all rows, and over the features of all atoms of each species.

    Attributes:
        kinds: By kind of label.
        done: Structures taken in, in the order of the data.
        atoms: (species,) atoms seen.
        feature_mean: (species, functions).
        feature_scatter: (species, functions, functions) Σ (b - mean)(b - mean)ᵀ, free of the cancellation of Σ b bᵀ.
    """

    def __init__(self, n_species: int, n_functions: int) -> None:
        columns = n_species * n_functions
        self.kinds = {kind: Sums(0, np.zeros((columns, columns)), np.zeros(columns), 0.0, 0.0) for kind in KINDS}
        self.done = 0
        self.atoms = np.zeros(n_species, dtype=np.int64)
        self.feature_mean = np.zeros((n_species, n_functions))
        self.feature_scatter = np.zeros((n_species, n_functions, n_functions))

    @property
    def columns(self) -> int:
        """Coefficients of the model."""
        return self.feature_mean.size

    @property
    def present(self) -> tuple[str, ...]:
        """Kinds of which there are rows."""
        return tuple(kind for kind in KINDS if self.kinds[kind].count)

    def add(self, example: Example) -> None:
        """Take in the next structure."""
        for kind, block in example.blocks.items():
            self.kinds[kind].add(block)
        for species in np.unique(example.species):
            self._add_features(species, example.features[example.species == species])
        self.done += 1

    def _add_features(self, species: int, features: FloatArray) -> None:
        """Merge means and scatters (T. F. Chan, G. H. Golub, R. J. LeVeque, Am. Stat. 37, 242 (1983), equation 1.5)."""
        before, added = int(self.atoms[species]), len(features)
        mean = features.mean(axis=0)
        centred, shift = features - mean, mean - self.feature_mean[species]
        self.atoms[species] = before + added
        self.feature_mean[species] += shift * (added / (before + added))
        self.feature_scatter[species] += centred.T @ centred
        self.feature_scatter[species] += np.outer(shift, shift) * (before * added / (before + added))

    def save(self, file: Path) -> None:
        """Write, whole or not at all."""
        tensors = {"atoms": self.atoms, "feature_mean": self.feature_mean, "feature_scatter": self.feature_scatter}
        tensors["done"] = np.array([self.done])
        for kind, sums in self.kinds.items():
            tensors |= {f"{kind}.gram": sums.gram, f"{kind}.moment": sums.moment}
            tensors[f"{kind}.scalars"] = np.array([sums.count, sums.total, sums.square])
        atomic_write_bytes(file, save(tensors))

    @classmethod
    def load(cls, file: Path) -> Self:
        """The inverse of `save`."""
        tensors = load_file(file)
        found = cls(*tensors["feature_mean"].shape)
        found.done = int(tensors["done"][0])
        found.atoms, found.feature_mean = tensors["atoms"].copy(), tensors["feature_mean"].copy()
        found.feature_scatter = tensors["feature_scatter"].copy()
        for kind in KINDS:
            count, total, square = tensors[f"{kind}.scalars"]
            gram, moment = tensors[f"{kind}.gram"].copy(), tensors[f"{kind}.moment"].copy()
            found.kinds[kind] = Sums(int(count), gram, moment, float(total), float(square))
        return found
