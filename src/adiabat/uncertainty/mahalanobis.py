"""Mahalanobis distance of features from the training distribution of their species."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import torch
from torch import Tensor

from adiabat.uncertainty.detector import Environments, each_species
from adiabat.uncertainty.feature_statistics import FeatureStatistics
from adiabat.uncertainty.whitening import RIDGE, Whitening


@dataclass(frozen=True, eq=False)
class MahalanobisDetector:
    """sqrt((b - mean)ᵀ Σ⁻¹ (b - mean) / K), with Σ the covariance of the training's features of a species, slightly ridged.

    About one for an atom of the training. P. C. Mahalanobis, Proc. Natl. Inst. Sci. India 2, 49 (1936).

    Attributes:
        count: (species,) training atoms.
        mean: (species, K).
        scale: (species, K) see `Whitening`.
        factor: (species, K, K) see `Whitening`; in float32, which halves what a file holds; grades are computed in float64.
    """

    count: Tensor
    mean: Tensor
    scale: Tensor
    factor: Tensor

    @classmethod
    def of(cls, statistics: FeatureStatistics, *, ridge: float = RIDGE) -> Self:
        """From mean and covariance of the training's features."""
        whitenings = [
            Whitening.of(mean, covariance, ridge=ridge)
            for mean, covariance in zip(statistics.mean, statistics.covariance, strict=True)
        ]
        return cls(
            statistics.count,
            statistics.mean,
            torch.stack([whitening.scale for whitening in whitenings]),
            torch.stack([whitening.factor.float() for whitening in whitenings]),
        )

    @classmethod
    def fit(cls, structures: Sequence[Environments], n_species: int) -> Self:
        """From the training structures."""
        return cls.of(FeatureStatistics.of_structures(structures, tuple(range(n_species))))

    def grades(self, features: Tensor, species: Tensor) -> Tensor:
        """(N,) of features (N, K) and species' places (N,): see `Detector`."""
        return each_species(features, species, len(self.count), self._grade)

    def left_out(self, group: Sequence[Environments]) -> Tensor:
        """(N,) grades of some training structures by the statistics of all the others, in closed form.

        Without n of N atoms the scatter T = N Σ becomes T - Yᵀ(1 + 11ᵀ/N')Y, with Y their features less the mean, and the
        mean moves by -Σy/N'; N' = N - n. By the Woodbury identity all follows from H = Y T⁻¹ Yᵀ. The ridge and the scales stay.
        Infinite where no atom of the species is left.

        Args:
            group: Structures that are among those of the training, and that belong together.
        """
        atoms = Environments.together(group)
        return each_species(atoms.features, atoms.species, len(self.count), self._left_out)

    @cached_property
    def _whitenings(self) -> list[Whitening]:
        return [Whitening(*of) for of in zip(self.mean, self.scale, self.factor.double(), strict=True)]

    def _grade(self, place: int, features: Tensor) -> Tensor:
        if self.count[place] == 0:
            return torch.full_like(features[:, 0], torch.inf)
        return self._whitenings[place](features).square().mean(0).sqrt()

    def _left_out(self, place: int, features: Tensor) -> Tensor:
        total, own = int(self.count[place]), len(features)
        rest = total - own
        if rest <= 0:
            return torch.full_like(features[:, 0], torch.inf)
        whitened = self._whitenings[place](features)
        shift = whitened.sum(1, keepdim=True)
        moved = whitened + shift / rest
        squared = (
            _without(whitened, moved, total) if own < len(whitened) else _without_many(whitened, moved, shift, total)
        )
        return (rest * squared / len(whitened)).sqrt()


def _without(whitened: Tensor, moved: Tensor, total: int) -> Tensor:
    """(n,) xᵀ T'⁻¹ x by a matrix as large as there are atoms left out, n.

    Args:
        whitened: (K, n) the left-out atoms less the mean of all.
        moved: (K, n) x, less the mean of the others.
        total: N.
    """
    own = whitened.shape[1]
    inner = torch.eye(own, dtype=whitened.dtype) - 1 / total - whitened.T @ whitened / total
    across = whitened.T @ moved / total
    return moved.square().sum(0) / total + (across * torch.linalg.solve(inner, across)).sum(0)


def _without_many(whitened: Tensor, moved: Tensor, shift: Tensor, total: int) -> Tensor:
    """The same by a matrix as large as there are features: for groups of many atoms."""
    functions, own = whitened.shape
    outer = whitened @ whitened.T / total + shift @ shift.T / (total * (total - own))
    factor = torch.linalg.cholesky(torch.eye(functions, dtype=whitened.dtype) - outer)
    return torch.linalg.solve_triangular(factor, moved, upper=False).square().sum(0) / total
