"""The slope of a series that fluctuates, and may wander."""

import math

import numpy as np

from adiabat.simulate.statistics import ENLARGED, periodogram
from adiabat.typing import FloatArray

LOWEST = 24
"""Frequencies, the lowest of a series, that its error bar comes from."""
WANDERINGS = np.concatenate([[0.0], np.logspace(-2, 4, 37)])
"""How much a series wanders for what it fluctuates, at the lowest frequency: all that is asked."""

_FREQUENCIES = np.arange(1, LOWEST + 1)
_FLUCTUATING = 1 - 3 / (np.pi * _FREQUENCIES) ** 2
_WANDERING = (1.2 - 6 / (np.pi * _FREQUENCIES) ** 2) / _FREQUENCIES**2
"""Expected densities of white noise, and of Brownian motion of the increment variance 4 π² / n², once their line is taken off."""


def slope(times: FloatArray, series: FloatArray) -> tuple[float, float | None] | None:
    """The slope of a straight line through a series, and its standard error.

    The conserved energy of a run fluctuates about its line, and with a thermostat wanders off it too, for the errors of the steps
    add up at random. So what is left of the series is taken as a sum of a stationary series, white over the lowest frequencies, and
    of Brownian motion. The shares of both follow from the densities at these frequencies, by the likelihood of Whittle
    (Ark. Mat. 2, 423 (1953)); the error is its mean over all shares, each as likely as the densities make it, enlarged as that
    of a mean. A slope feels the lowest frequencies alone: no correlation time has to be known. Where fluctuations last a
    twentieth of the series the error is too large, fourfold; what wanders no further than it fluctuates is hardly seen, and the
    slope is then beyond three errors in four of a hundred series.

    Args:
        times: (n,), equally spaced.
        series: (n,).

    Returns:
        Both in the units of the series over those of the times; the error None with fewer than 49 values, None for both with
        fewer than three.
    """
    if len(series) < 3:
        return None
    centered = times - times.mean()
    value = float(centered @ series) / float(centered @ centered)
    if len(series) <= 2 * LOWEST:
        return value, None
    return value, _error(series - series.mean() - value * centered) / float(times[1] - times[0])


def _error(residual: FloatArray) -> float:
    """Of the slope for each value, from what is left when the line is taken off."""
    densities = periodogram(residual, LOWEST)
    shapes = _FLUCTUATING + WANDERINGS[:, None] * _WANDERING
    levels = (densities / shapes).mean(axis=1)
    if not levels.any():
        return 0.0
    logarithms = -LOWEST * np.log(levels) - np.log(shapes).sum(axis=1)
    likely = np.exp(logarithms - logarithms.max())
    # Of white noise 12 / n³ of its density, of Brownian motion 6/5 of its increment variance / n.
    variances = levels * (12 + 1.2 * 4 * np.pi**2 * WANDERINGS) / len(residual) ** 3
    return ENLARGED * math.sqrt(float(likely @ variances) / float(likely.sum()))
