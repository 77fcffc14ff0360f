"""Bayesian linear regression on normal equations: Gaussian noise per kind of label, a Gaussian smoothness prior."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy.linalg

from adiabat.training.normal_equations import NormalEquations
from adiabat.typing import FloatArray


@dataclass(frozen=True)
class Hyperparameters:
    """What the data do not fix by themselves.

    Attributes:
        noise: Standard deviation of a row by kind of label: eV per atom, eV/Å, eV/Å³.
        strength: Of the prior, relative to the data: 0 is none.
        smoothness: How much faster the prior grows for functions of higher degree: (1 + degree)^smoothness.
    """

    noise: Mapping[str, float]
    strength: float
    smoothness: float


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


def column_scale(equations: NormalEquations) -> FloatArray:
    """(columns,) root mean square of each column over force rows; over what there is, without forces.

    It makes the prior speak of contributions to forces, whatever the functions are multiplied by. A column that is always
    zero (a species or a function that the data never show) gets the mean of the others, so that the prior holds it at zero.
    """
    sums = equations.kinds[anchor(equations)]
    scale = np.sqrt(np.diag(sums.gram) / sums.count)
    seen = scale > 1e-12 * scale.max()
    return np.where(seen, scale, scale[seen].mean())


def solve(equations: NormalEquations, parameters: Hyperparameters, degrees: FloatArray) -> Solution:
    """The posterior.

    Args:
        equations: Of the rows.
        parameters: Noise and prior.
        degrees: (columns,) of the functions.

    Raises:
        numpy.linalg.LinAlgError: The precision is not positive definite to rounding: the prior is too weak.
    """
    precision = np.zeros((equations.columns, equations.columns))
    right = np.zeros(equations.columns)
    for kind in equations.present:
        sums, inverse_variance = equations.kinds[kind], parameters.noise[kind] ** -2
        precision += inverse_variance * sums.gram
        right += inverse_variance * sums.moment
    weight = equations.kinds[anchor(equations)].count * parameters.noise[anchor(equations)] ** -2
    growth = (1 + degrees) ** parameters.smoothness
    precision[np.diag_indices_from(precision)] += parameters.strength * weight * (growth * column_scale(equations)) ** 2
    scale = 1 / np.sqrt(np.diag(precision))
    precision *= scale[:, None] * scale
    factor = scipy.linalg.cholesky(precision, lower=True, overwrite_a=True, check_finite=False)
    mean = scale * scipy.linalg.cho_solve((factor, True), scale * right, check_finite=False)
    return Solution(mean, factor, scale)
