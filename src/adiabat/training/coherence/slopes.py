"""The slope of labels on predictions whose errors are alike where the structures are."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import scipy.linalg
import torch

from adiabat.typing import FloatArray

TOLERANCE, STANDARD_ERRORS = 0.1, 3.0
"""Of a slope around one, and of its standard errors on top of that."""
KNOWN = 0.2
"""Relative standard error up to which a slope says something."""
UNIT_APART, CORRELATED = 1.6, 0.7
"""No two units that are mixed up differ by less; where labels and predictions hardly go together, other things do."""
LEAST_LABELS = 6
"""Beyond those that free directions take."""
INFLATIONS = np.logspace(0, 4, 13)
"""Of the predictions' covariance: what a model cannot follow moves its coefficients more than independent errors would."""
NOISES = np.logspace(-8, 0.3, 30)
"""Of the labels' variance: the part that the predictions' covariance does not reach."""
ROUNDS, SETTLED = 12, 0.03
ROUNDING = 1e-12


@dataclass(frozen=True)
class Slope:
    """Labels against predictions.

    Errors that stand in predictions and labels alike leave the regression of labels on predictions unbiased; errors of
    predictions alone make it too low, and that of predictions on labels is the right one. What is true lies between the two
    (R. Frisch, Statistical Confluence Analysis by Means of Complete Regression Systems, Oslo 1934).

    Attributes:
        value: Label / prediction, by regression of labels on predictions.
        std: Of the value.
        correlation: Between the two, weighed as in the regression.
        count: Labels.
    """

    value: float
    std: float
    correlation: float
    count: int

    @property
    def reverse(self) -> float:
        """Label / prediction, by regression of predictions on labels."""
        return self.value / max(self.correlation**2, ROUNDING)

    @property
    def tells(self) -> bool:
        """Whether it is known well enough to mean anything."""
        return self.std < KNOWN * abs(self.value)

    @property
    def fits(self) -> bool:
        """Whether it can be one, within the tolerance and what it is uncertain by."""
        margin = TOLERANCE + STANDARD_ERRORS * self.std
        return self.value - margin <= 1 <= max(self.value, self.reverse) + margin

    @property
    def is_of_another_unit(self) -> bool:
        """Whether it is surely so far off that no misfit explains it."""
        margin = STANDARD_ERRORS * self.std
        is_above, is_below = self.value - margin > UNIT_APART, max(self.value, self.reverse) + margin < 1 / UNIT_APART
        return self.tells and abs(self.correlation) > CORRELATED and (is_above or is_below)

    def divided(self, factor: float) -> Self:
        """That of labels divided by a factor."""
        return replace(self, value=self.value / factor, std=self.std / abs(factor))

    def widened(self, relative: float) -> Self:
        """With a further relative uncertainty."""
        return replace(self, std=float(np.hypot(self.std, relative * self.value)))


def label_slope(labels: FloatArray, predictions: FloatArray, covariance: FloatArray, free: FloatArray) -> Slope | None:
    """Generalized least squares: labels = slope · predictions + free directions + errors.

    The errors' covariance is that of the predictions, times slope² and an inflation, plus one variance for all labels;
    inflation and variance by restricted maximum likelihood (H. D. Patterson, R. Thompson, Biometrika 58, 545 (1971)).
    Without that covariance, a few directions that the predictions leave open (how a perfect crystal's energy changes with
    its volume, where only forces are known) would decide the slope.

    Args:
        labels: (n,).
        predictions: (n,).
        covariance: (n, n) of the predictions.
        free: (n, k) directions that count for nothing.

    Returns:
        None where there are too few labels, or labels or predictions do not differ.
    """
    directions = scipy.linalg.orth(free)
    rest = np.linalg.qr(directions, mode="complete")[0][:, directions.shape[1] :]
    if rest.shape[1] < LEAST_LABELS:
        return None
    variance, axes = _principal_axes(covariance, rest)
    y, x, variance = axes.T @ labels, axes.T @ predictions, variance.clip(0)
    if y @ y <= ROUNDING**2 * (labels @ labels) or x @ x <= ROUNDING**2 * (predictions @ predictions):
        return None
    weight = 1 / (variance + variance.mean() + ROUNDING * (x @ x))
    scale = float(np.sqrt((weight @ y**2) / (weight @ (x**2 + variance))))
    value, std, correlation = _likeliest(y, x, scale**2 * variance)
    for _ in range(ROUNDS):
        before, scale = scale, max(abs(value), std)
        if abs(np.log(scale / before)) < SETTLED:
            break
        value, std, correlation = _likeliest(y, x, scale**2 * variance)
    return Slope(value, std, correlation, len(labels))


def _principal_axes(covariance: FloatArray, rest: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Of a covariance (n, n) in the space of some columns (n, m): variances (m,), axes (n, m)."""
    columns = torch.from_numpy(rest)
    variance, axes = torch.linalg.eigh(columns.T @ torch.from_numpy(covariance) @ columns)
    return variance.numpy(), (columns @ axes).numpy()


def _likeliest(y: FloatArray, x: FloatArray, variance: FloatArray) -> tuple[float, float, float]:
    """Slope, standard error and correlation at the likeliest inflation and noise, for uncorrelated labels."""
    noise = float(y @ y) / len(y) * NOISES
    total = INFLATIONS[:, None, None] * variance + noise[:, None]  # (inflation, noise, label)
    information = (x**2 / total).sum(-1)
    value = (x * y / total).sum(-1) / information
    misfit = ((y - value[..., None] * x) ** 2 / total).sum(-1)
    likelihood = -0.5 * (misfit + np.log(total).sum(-1) + np.log(information))
    best = np.unravel_index(likelihood.argmax(), likelihood.shape)
    excess = max(1.0, float(misfit[best]) / (len(y) - 1))
    correlation = float(value[best] * np.sqrt(information[best] / (y**2 / total[best]).sum()))
    return float(value[best]), float(np.sqrt(excess / information[best])), correlation
