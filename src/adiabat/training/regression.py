"""Bayesian linear regression on normal equations: Gaussian noise per kind of label and config_type, a Gaussian prior."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np
import scipy.linalg

from adiabat.training.examples import ONE_LEVEL, NoiseFactors
from adiabat.training.normal_equations import NormalEquations
from adiabat.typing import FloatArray


@dataclass(frozen=True)
class Solution:
    """The posterior of the coefficients: mean c, and precision P = S⁻¹ L Lᵀ S⁻¹ with S diagonal.

    Attributes:
        mean: (columns,).
        factor: (columns, columns) L, lower triangular.
        scale: (columns,) the diagonal of S.
    """

    mean: FloatArray
    factor: FloatArray
    scale: FloatArray

    def whiten(self, rows: FloatArray) -> FloatArray:
        """(columns, n) Z with ZᵀZ = x P⁻¹ xᵀ for rows x (n, columns)."""
        return scipy.linalg.solve_triangular(self.factor, (rows * self.scale).T, lower=True, check_finite=False)


def anchor(equations: NormalEquations) -> str:
    """The kind of label that the prior is measured by: forces, where there are any."""
    return "forces" if "forces" in equations.present else equations.present[0]


def solve(
    equations: NormalEquations, noise: Mapping[str, float], prior: FloatArray, factors: NoiseFactors = ONE_LEVEL
) -> Solution:
    """The posterior.

    Args:
        equations: Of the rows.
        noise: Standard deviation of a row by kind of label: eV per atom, eV/Å, eV/Å³. Its ratios decide the mean.
        prior: (columns, columns) precision for one row of the anchor (see `anchor`) with unit noise: it grows with their
            number and precision, so that it means the same for few data and many.
        factors: On the noise, by config_type.

    Raises:
        numpy.linalg.LinAlgError: The precision is not positive definite to rounding: the prior is too weak.
    """
    reference = anchor(equations)
    weighed = {
        kind: [((factor * noise[kind]) ** -2, sums) for factor, sums in equations.parts(kind, factors)]
        for kind in equations.present
    }
    precision = sum(sums.count * inverse_variance for inverse_variance, sums in weighed[reference]) * prior
    right = np.zeros(equations.columns)
    for inverse_variance, sums in chain.from_iterable(weighed.values()):
        precision += inverse_variance * sums.gram
        right += inverse_variance * sums.moment
    scale = 1 / np.sqrt(np.diag(precision))
    precision *= scale[:, None]
    precision *= scale
    factor = scipy.linalg.cholesky(precision, lower=True, overwrite_a=True, check_finite=False)
    mean = scale * scipy.linalg.cho_solve((factor, True), scale * right, check_finite=False)
    return Solution(mean, factor, scale)
