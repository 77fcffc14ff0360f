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


LENGTH = 1.0
"""Å. What turns the size of a function into the size of its slope, where both count in the prior."""


def column_scale(equations: NormalEquations) -> FloatArray:
    """(columns,) how large each function is: root mean square of its slopes (the force rows) and of its values over atoms.

    It makes the prior speak of contributions to forces and energies, whatever the functions are multiplied by. Both
    count: in symmetric crystals a function can be large and have no slope. A column that is always zero (a function that
    the data never show) gets the mean of the others, so that the prior holds it at zero.
    """
    slopes = equations.kinds["forces"]
    square = np.diag(slopes.gram) / slopes.count if slopes.count else np.zeros(equations.columns)
    variance = np.diagonal(equations.feature_scatter, axis1=1, axis2=2) / equations.atoms[:, None]
    values = variance + equations.feature_mean**2
    scale = np.sqrt(square + values.ravel() / LENGTH**2)
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
