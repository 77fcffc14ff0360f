"""Mean and covariance of the features that a model was trained on, by species, and distances from them."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Self

import torch
from torch import Tensor

from adiabat.system import PartState, register

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

    def distance(self, features: Tensor, numbers: Tensor) -> Tensor:
        """(N,) Mahalanobis distances of features (N, functions) from the training atoms of each atom's species.

        Divided by the square root of the number of functions: about one for an atom like those of the training.
        """
        index = torch.searchsorted(torch.tensor(self.species), numbers.cpu())
        found = features.new_empty(len(features))
        for s in range(len(self.species)):
            of_species = index == s
            if bool(of_species.any()):
                scale, factor = self._whiteners[s]
                centred = ((features[of_species] - self.mean[s]) / scale).T
                whitened = torch.linalg.solve_triangular(factor, centred, upper=False)
                found[of_species] = whitened.square().mean(0).sqrt()
        return found

    @cached_property
    def _whiteners(self) -> list[tuple[Tensor, Tensor]]:
        """Per species a scale and the Cholesky factor of the scaled, slightly ridged covariance."""
        found = []
        for covariance in self.covariance:
            variance = torch.diagonal(covariance)
            scale = variance.clamp(min=1e-12 * float(variance.max()) + 1e-300).sqrt()
            correlation = covariance / (scale[:, None] * scale)
            ridge = RIDGE * torch.eye(len(scale), dtype=scale.dtype)
            found.append((scale, torch.linalg.cholesky(correlation + ridge)))
        return found

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
