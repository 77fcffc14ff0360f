"""Features in which those of the training have unit covariance."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

RIDGE = 1e-4
"""Of a feature's variance, added to each. A thousand invariants move together: about a third of the eigenvalues of their correlation
matrix is below 1e-6, and along those directions the training shows chance more than what environments are like. What is flagged
hardly depends on it between 1e-8 and 1e-3 (docs/uncertainty_detectors.md); this one is large enough for factors in float32."""
ROUNDING = 1e-10
"""Of the largest mean feature: what varies less does so by rounding."""
NARROWEST = 1e-6
"""Of the largest standard deviation of a feature: the least that another is taken to have."""


@dataclass(frozen=True, eq=False)
class Whitening:
    """z = L⁻¹ S⁻¹ (b - mean), with S² the variances of the features and L Lᵀ their correlation and a ridge.

    Attributes:
        mean: (K,).
        scale: (K,) the diagonal of S.
        factor: (K, K) L, lower triangular.
    """

    mean: Tensor
    scale: Tensor
    factor: Tensor

    @classmethod
    def of(cls, mean: Tensor, covariance: Tensor, *, ridge: float = RIDGE) -> Self:
        """From the mean (K,) and the covariance (K, K) of the training's features."""
        variance = torch.diagonal(covariance)
        least = max(NARROWEST**2 * float(variance.max()), (ROUNDING * float(mean.abs().max())) ** 2, 1e-300)
        scale = variance.clamp(min=least).sqrt()
        correlation = covariance / (scale[:, None] * scale)
        correlation.diagonal().add_(ridge)
        return cls(mean, scale, torch.linalg.cholesky(correlation))

    def __call__(self, features: Tensor) -> Tensor:
        """(K, n) of features (n, K)."""
        centred = ((features - self.mean) / self.scale).T
        return torch.linalg.solve_triangular(self.factor, centred, upper=False)
