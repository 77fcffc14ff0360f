"""Bayesian linear regression on normal equations: Gaussian noise per kind of label and config_type, a Gaussian prior."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from adiabat.runs import side_by_side
from adiabat.training.block_matrix import BlockMatrix
from adiabat.training.examples import ONE_LEVEL, NoiseFactors
from adiabat.training.normal_equations import NormalEquations
from adiabat.typing import FloatArray
from adiabat.uncertainty import Covariance
from adiabat.uncertainty.cholesky import factorize
from adiabat.uncertainty.tiles import tiles


@dataclass(frozen=True)
class Solution:
    """The posterior of the coefficients.

    Attributes:
        mean: (columns,).
        covariance: Of the noise that the fit was made with.
    """

    mean: FloatArray
    covariance: Covariance


@dataclass(frozen=True)
class PriorPrecision:
    """What is known of the coefficients before any label: the precision factor · M + diag(d).

    Attributes:
        matrix: M.
        factor: On it.
        diagonal: (columns,) d.
    """

    matrix: BlockMatrix
    factor: float
    diagonal: FloatArray


def anchor(equations: NormalEquations) -> str:
    """The kind of label that the prior is measured by: forces, where there are any."""
    return "forces" if "forces" in equations.present else equations.present[0]


def solve(
    equations: NormalEquations, noise: Mapping[str, float], prior: PriorPrecision, factors: NoiseFactors = ONE_LEVEL
) -> Solution:
    """The posterior.

    Args:
        equations: Of the rows.
        noise: Standard deviation of a row by kind of label: eV per atom, eV/Å, eV/Å³. Its ratios decide the mean.
        prior: For one row of the anchor (see `anchor`) with unit noise: it grows with their number and precision, so that it
            means the same for few data and many.
        factors: On the noise, by config_type.

    Raises:
        numpy.linalg.LinAlgError: The precision is not positive definite to rounding: the prior is too weak.
    """
    weighed = {
        kind: [((factor * noise[kind]) ** -2, sums) for factor, sums in equations.parts(kind, factors)]
        for kind in equations.present
    }
    of_prior = sum(sums.count * inverse_variance for inverse_variance, sums in weighed[anchor(equations)])
    terms = [(weight, sums) for parts in weighed.values() for weight, sums in parts]
    right = sum(
        (weight * sums.moment for weight, sums in terms), start=torch.zeros(equations.shape, dtype=torch.float64)
    )
    matrices = [(of_prior * prior.factor, prior.matrix), *((weight, sums.gram) for weight, sums in terms)]
    covariance = covariance_of(matrices, of_prior * torch.from_numpy(prior.diagonal))
    scale = covariance.scale
    [mean] = side_by_side([partial(_solve_factorized, covariance.factor, scale * right.flatten())])
    return Solution((scale * mean).numpy(), covariance)


def covariance_of(matrices: Sequence[tuple[float, BlockMatrix]], diagonal: Tensor) -> Covariance:
    """The inverse of the precision Σ weight · matrix + diag(diagonal).

    Args:
        matrices: Weights and matrices.
        diagonal: (columns,).

    Raises:
        numpy.linalg.LinAlgError: It is not positive definite to rounding.
    """
    precision, scale = _scaled(matrices, diagonal)
    factorize(precision)
    return Covariance(precision, scale)


def _scaled(matrices: Sequence[tuple[float, BlockMatrix]], diagonal: Tensor) -> tuple[Tensor, Tensor]:
    """S P S on and below its diagonal, which is one, and that of S, for P = Σ weight · matrix + diag(diagonal)."""
    columns = len(diagonal)
    whole = diagonal + sum(weight * matrix.diagonal(columns // matrix.width) for weight, matrix in matrices)
    scale = 1 / whole.sqrt()
    precision = torch.zeros(columns, columns, dtype=torch.float64)
    precision.diagonal().copy_(diagonal)
    side_by_side([partial(_add_scaled, precision, matrices, scale, down) for down in tiles(columns)])
    return precision, scale


def _add_scaled(precision: Tensor, matrices: Sequence[tuple[float, BlockMatrix]], scale: Tensor, down: slice) -> None:
    """Some rows of the scaled sum."""
    for weight, matrix in matrices:
        for rows, columns, block in matrix.lower():
            start, stop = max(rows.start, down.start), min(rows.stop, down.stop)
            if start < stop:
                precision[start:stop, columns].add_(block[start - rows.start : stop - rows.start], alpha=weight)
    precision[down].mul_(scale[down, None]).mul_(scale)


def _solve_factorized(factor: Tensor, right: Tensor) -> Tensor:
    half = torch.linalg.solve_triangular(factor, right[:, None], upper=False)
    return torch.linalg.solve_triangular(factor.T, half, upper=True)[:, 0]
