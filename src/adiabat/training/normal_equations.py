"""Normal equations, kind of label by kind of label: all that a fit needs of its rows, in memory that does not grow with them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np
import torch
from torch import Tensor

from adiabat.runs import side_by_side
from adiabat.training.block_matrix import BlockMatrix
from adiabat.training.examples import KINDS, Example, NoiseFactors
from adiabat.typing import FloatArray


@dataclass
class Sums:
    """Over the rows x and targets y of one kind of label: their number, Σ x xᵀ, Σ x y, Σ y, Σ y².

    Attributes:
        count: Of rows.
        gram: Σ x xᵀ.
        moment: (species, functions) Σ x y.
        total: Σ y.
        square: Σ y².
    """

    count: int
    gram: BlockMatrix
    moment: Tensor
    total: float
    square: float

    @property
    def spread(self) -> float:
        """Standard deviation of the targets; their root mean square where they are all the same."""
        mean_square = self.square / self.count
        variance = mean_square - (self.total / self.count) ** 2
        return float(np.sqrt(variance if variance > 1e-12 * mean_square else max(mean_square, 1e-12)))

    @classmethod
    def empty(cls, n_species: int, n_functions: int) -> Self:
        """Of no rows."""
        return cls(0, BlockMatrix(n_functions), torch.zeros(n_species, n_functions, dtype=torch.float64), 0.0, 0.0)

    def adding(self, rows: Tensor, targets: FloatArray, species: Sequence[int]) -> list[Callable[[], None]]:
        """Take in further rows, in the columns of these species: the tasks that are left to do."""
        self.count += len(targets)
        self.total += float(targets.sum())
        self.square += float(np.square(targets).sum())
        return [*self.gram.adding(rows, species), partial(_add_moment, self.moment, rows, targets, list(species))]


class NormalEquations:
    """Sums over all rows, and over the features of all atoms of each species.

    Attributes:
        kinds: By kind of label.
        config_types: By (kind of label, config_type), of those that have rows; None where one noise level for all is enough.
        done: Structures taken in, in the order of the data.
        atoms: (species,) atoms seen.
        feature_mean: (species, functions).
        feature_scatter: By species Σ (b - mean)(b - mean)ᵀ, free of the cancellation of Σ b bᵀ.
    """

    def __init__(self, n_species: int, n_functions: int, *, per_config_type: bool = False) -> None:
        self.kinds = {kind: Sums.empty(n_species, n_functions) for kind in KINDS}
        self.config_types: dict[tuple[str, str], Sums] | None = {} if per_config_type else None
        self.done = 0
        self.atoms = np.zeros(n_species, dtype=np.int64)
        self.feature_mean = np.zeros((n_species, n_functions))
        self.feature_scatter = BlockMatrix(n_functions)

    @property
    def shape(self) -> tuple[int, int]:
        """Species and functions."""
        n_species, n_functions = self.feature_mean.shape
        return n_species, n_functions

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

    def add(self, examples: Sequence[Example]) -> None:
        """Take in the next structures: the more at once, the less often the sums are fetched from memory."""
        alike: dict[tuple[tuple[int, ...], str], list[Example]] = {}
        for example in examples:
            config_type = example.config_type if self.config_types is not None else ""
            alike.setdefault((example.present, config_type), []).append(example)
        for species, config_type in sorted(alike):
            self._add_rows(alike[species, config_type], species, config_type)
        self._add_features(examples)
        self.done += len(examples)

    def _add_rows(self, examples: Sequence[Example], species: tuple[int, ...], config_type: str) -> None:
        """Of structures that hold the same species."""
        tasks: list[Callable[[], None]] = []
        for kind in KINDS:
            blocks = [example.blocks[kind] for example in examples if kind in example.blocks]
            if not blocks:
                continue
            rows = torch.cat([torch.from_numpy(block.rows) for block in blocks])
            targets = np.concatenate([block.targets for block in blocks])
            tasks += self.kinds[kind].adding(rows, targets, species)
            if self.config_types is not None:
                of_type = self.config_types.setdefault((kind, config_type), Sums.empty(*self.shape))
                tasks += of_type.adding(rows, targets, species)
        side_by_side(tasks)

    def _add_features(self, examples: Sequence[Example]) -> None:
        features = np.concatenate([example.features for example in examples])
        species = np.concatenate([example.species for example in examples])
        tasks: list[Callable[[], None]] = []
        for place in np.unique(species):
            deviations = self._merge_means(int(place), features[species == place])
            tasks += self.feature_scatter.adding(torch.from_numpy(deviations), [int(place)])
        side_by_side(tasks)

    def _merge_means(self, place: int, features: FloatArray) -> FloatArray:
        """Take in atoms of a species; the rows whose products their scatter grows by.

        T. F. Chan, G. H. Golub, R. J. LeVeque, Am. Stat. 37, 242 (1983), equation 1.5.
        """
        before, added = int(self.atoms[place]), len(features)
        mean = features.mean(axis=0)
        shift = mean - self.feature_mean[place]
        self.atoms[place] = before + added
        self.feature_mean[place] += shift * (added / (before + added))
        return np.vstack([features - mean, shift * np.sqrt(before * added / (before + added))])


def _add_moment(to: Tensor, rows: Tensor, targets: FloatArray, species: list[int]) -> None:
    to[species] += (rows.T @ torch.from_numpy(targets)).reshape(len(species), -1)
