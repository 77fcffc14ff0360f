"""Normal equations, kind of label by kind of label: all that a fit needs of its rows, in memory that does not grow with them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from safetensors.numpy import load_file, save

from adiabat.runs import atomic_write_bytes
from adiabat.training.examples import KINDS, Block, Example, NoiseFactors
from adiabat.typing import FloatArray

GRAM, MOMENT, SCALARS, OF_TYPE = ".gram", ".moment", ".scalars", " of "
"""Of the names in a file: "forces.gram", "forces of liquid.gram"."""


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

    @classmethod
    def empty(cls, columns: int) -> Self:
        """Of no rows."""
        return cls(0, np.zeros((columns, columns)), np.zeros(columns), 0.0, 0.0)

    @classmethod
    def of(cls, block: Block) -> Self:
        """Of a block of rows."""
        rows, targets = block.rows, block.targets
        return cls(len(targets), rows.T @ rows, rows.T @ targets, float(targets.sum()), float(targets @ targets))

    def add(self, other: Self) -> None:
        """Take in further rows."""
        self.count += other.count
        self.gram += other.gram
        self.moment += other.moment
        self.total += other.total
        self.square += other.square


class NormalEquations:
    """Sums over all rows, and over the features of all atoms of each species.

    Attributes:
        kinds: By kind of label.
        config_types: By (kind of label, config_type), of those that have rows; None where one noise level for all is enough.
        done: Structures taken in, in the order of the data.
        atoms: (species,) atoms seen.
        feature_mean: (species, functions).
        feature_scatter: (species, functions, functions) Σ (b - mean)(b - mean)ᵀ, free of the cancellation of Σ b bᵀ.
    """

    def __init__(self, n_species: int, n_functions: int, *, per_config_type: bool = False) -> None:
        self.kinds = {kind: Sums.empty(n_species * n_functions) for kind in KINDS}
        self.config_types: dict[tuple[str, str], Sums] | None = {} if per_config_type else None
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

    def by_config_type(self, kind: str) -> Iterator[tuple[str, Sums]]:
        """Sums over the rows of a kind, by config_type; in an order that does not depend on that of the structures.

        Raises:
            ValueError: They are not kept by config_type.
        """
        if self.config_types is None:
            raise ValueError("the sums are not kept by config_type")
        for of_kind, config_type in sorted(self.config_types):
            if of_kind == kind:
                yield config_type, self.config_types[kind, config_type]

    def parts(self, kind: str, factors: NoiseFactors) -> Iterator[tuple[float, Sums]]:
        """Sums over the rows of a kind, with the factor on its noise that holds for them.

        Raises:
            ValueError: Factors by config_type are given, and the sums are not kept so.
        """
        if not factors:
            yield 1.0, self.kinds[kind]
            return
        for config_type, sums in self.by_config_type(kind):
            yield factors.get((kind, config_type), 1.0), sums

    def add(self, example: Example) -> None:
        """Take in the next structure."""
        for kind, block in example.blocks.items():
            added = Sums.of(block)
            self.kinds[kind].add(added)
            if self.config_types is not None:
                self.config_types.setdefault((kind, example.config_type), Sums.empty(self.columns)).add(added)
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
        tensors["per_config_type"] = np.array([self.config_types is not None])
        for kind, sums in self.kinds.items():
            tensors |= _to_tensors(kind, sums)
        for (kind, config_type), sums in (self.config_types or {}).items():
            tensors |= _to_tensors(f"{kind}{OF_TYPE}{config_type}", sums)
        atomic_write_bytes(file, save(tensors))

    @classmethod
    def load(cls, file: Path) -> Self:
        """The inverse of `save`."""
        tensors = load_file(file)
        found = cls(*tensors["feature_mean"].shape, per_config_type=bool(tensors["per_config_type"][0]))
        found.done = int(tensors["done"][0])
        found.atoms, found.feature_mean = tensors["atoms"].copy(), tensors["feature_mean"].copy()
        found.feature_scatter = tensors["feature_scatter"].copy()
        found.kinds = {kind: _from_tensors(kind, tensors) for kind in KINDS}
        if found.config_types is not None:
            names = [key.removesuffix(SCALARS) for key in tensors if OF_TYPE in key and key.endswith(SCALARS)]
            for name in names:
                kind, _, config_type = name.partition(OF_TYPE)
                found.config_types[kind, config_type] = _from_tensors(name, tensors)
        return found


def _to_tensors(name: str, sums: Sums) -> dict[str, np.ndarray]:
    scalars = np.array([sums.count, sums.total, sums.square])
    return {f"{name}{GRAM}": sums.gram, f"{name}{MOMENT}": sums.moment, f"{name}{SCALARS}": scalars}


def _from_tensors(name: str, tensors: dict[str, np.ndarray]) -> Sums:
    count, total, square = tensors[f"{name}{SCALARS}"]
    gram, moment = tensors[f"{name}{GRAM}"].copy(), tensors[f"{name}{MOMENT}"].copy()
    return Sums(int(count), gram, moment, float(total), float(square))
