"""Mean and covariance of the features that a model was trained on, by species, and distances from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Self

import torch
from torch import Tensor

from adiabat.system import PartState, register
from adiabat.uncertainty.detector import Environments, each_species
from adiabat.uncertainty.whitening import Whitening

RIDGE = 1e-8
"""Of a feature's variance, added so that features that move together leave the covariance invertible."""


@register
@dataclass(frozen=True, eq=False)
class FeatureStatistics:
    """The training distribution of the features.

    Attributes:
        species: Atomic numbers, ascending.
        count: (species,) atoms.
        mean: (species, functions).
        covariance: (species, functions, functions).
    """

    species: tuple[int, ...]
    count: Tensor
    mean: Tensor
    covariance: Tensor
    kind: ClassVar[str] = "feature_statistics"

    @classmethod
    def of_structures(cls, structures: Sequence[Environments], species: tuple[int, ...]) -> Self:
        """Of the atoms of some structures; zero for a species that none of them holds.

        Args:
            structures: With places in `species`.
            species: Atomic numbers, ascending.
        """
        atoms = Environments.together(structures)
        functions = atoms.features.shape[1]
        mean = atoms.features.new_zeros(len(species), functions)
        covariance = atoms.features.new_zeros(len(species), functions, functions)
        for place in atoms.species.unique().tolist():
            features = atoms.features[atoms.species == place]
            mean[place] = features.mean(0)
            centred = features - mean[place]
            covariance[place] = centred.T @ centred / len(features)
        return cls(species, torch.bincount(atoms.species, minlength=len(species)), mean, covariance)

    def distance(self, features: Tensor, numbers: Tensor) -> Tensor:
        """(N,) Mahalanobis distances of features (N, functions) from the training atoms of each atom's species.

        Divided by the square root of the number of functions: about one for an atom like those of the training.
        """
        index = torch.searchsorted(torch.tensor(self.species), numbers.cpu())
        return each_species(
            features, index, len(self.species), lambda s, own: self._whitenings[s](own).square().mean(0).sqrt()
        )

    @cached_property
    def _whitenings(self) -> list[Whitening]:
        pairs = zip(self.mean, self.covariance, strict=True)
        return [Whitening.of(mean, covariance, ridge=RIDGE) for mean, covariance in pairs]

    def to_state(self) -> PartState:
        """As tensors; a covariance as its lower triangle."""
        rows, columns = torch.tril_indices(*self.covariance.shape[1:])
        triangles = self.covariance[:, rows, columns].contiguous()
        tensors = {"count": self.count, "mean": self.mean, "lower_triangles": triangles}
        return PartState(self.kind, {"species": list(self.species)}, tensors)

    @classmethod
    def from_state(cls, state: PartState) -> Self:
        """The inverse of `to_state`."""
        mean = state.tensors["mean"]
        size = mean.shape[1]
        rows, columns = torch.tril_indices(size, size)
        covariance = mean.new_zeros(len(mean), size, size)
        covariance[:, rows, columns] = covariance[:, columns, rows] = state.tensors["lower_triangles"]
        return cls(tuple(state.values["species"]), state.tensors["count"], mean, covariance)
