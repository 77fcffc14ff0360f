"""The covariance of a linear model's coefficients."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from adiabat.uncertainty.cholesky import solve_lower


@dataclass(frozen=True, eq=False)
class Covariance:
    """C = S L⁻ᵀ L⁻¹ S, with S diagonal and L lower triangular: the inverse of a precision that was factorised.

    Posterior, leverage and D-optimality are all taken from it.

    Attributes:
        factor: (columns, columns) L, the Cholesky factor of the scaled precision.
        scale: (columns,) the diagonal of S.
    """

    factor: Tensor
    scale: Tensor

    def whiten(self, rows: Tensor) -> Tensor:
        """(columns, n) Z with ZᵀZ = x C xᵀ, for rows x (n, columns)."""
        whitened = (rows * self.scale).T.contiguous()
        solve_lower(self.factor, whitened)
        return whitened

    def variance(self, rows: Tensor) -> Tensor:
        """(n,) the diagonal of x C xᵀ, for rows x (n, columns)."""
        return self.whiten(rows).square().sum(0)

    def colour(self, whitened: Tensor) -> Tensor:
        """(n, columns) S L⁻ᵀ z for columns z (columns, n): of independent standard normal z, draws of coefficients.

        A row's part in them is what its whitened one's is in z: x S L⁻ᵀ z = (L⁻¹ S xᵀ)ᵀ z.
        """
        return torch.linalg.solve_triangular(self.factor.T, whitened, upper=True).T * self.scale

    def draw(self, count: int, seed: int) -> Tensor:
        """(count, columns) draws from a normal distribution with this covariance."""
        generator = torch.Generator().manual_seed(seed)
        return self.colour(torch.randn(len(self.scale), count, generator=generator, dtype=self.factor.dtype))

    def dense(self) -> Tensor:
        """(columns, columns)."""
        half = torch.linalg.solve_triangular(self.factor, torch.diag(self.scale), upper=False)
        return half.T @ half

    def times(self, factor: float) -> Self:
        """The covariance multiplied by a number."""
        return type(self)(self.factor, factor**0.5 * self.scale)


@dataclass(frozen=True, eq=False)
class CovarianceRoot:
    """R of a covariance R Rᵀ: of one that was factorised, plus the sum of squares of sets of coefficients.

    Attributes:
        covariance: The one.
        sets: (sets, columns).
    """

    covariance: Covariance
    sets: Tensor

    def whiten(self, rows: Tensor) -> Tensor:
        """(n, columns + sets) x R, for rows x (n, columns)."""
        return torch.cat([self.covariance.whiten(rows).T, rows @ self.sets.T], dim=1)

    def colour(self, vectors: Tensor) -> Tensor:
        """(d, columns) (R v)ᵀ for vectors v (columns + sets, d)."""
        columns = len(self.covariance.scale)
        return self.covariance.colour(vectors[:columns]) + vectors[columns:].T @ self.sets
