"""Means of correlated series, with their standard errors."""

import math

import numpy as np
from scipy.special import stdtrit

from adiabat.typing import FloatArray

LOWEST = 8
"""Frequencies, the lowest of a series, that its error bar comes from: few, for the spectrum bends at the inverse correlation
time; enough, for each is as uncertain as it is large."""
COMPARED = 24
"""Frequencies, those among them, that show whether the spectrum is flat there."""
STEEPEST = 3.0
"""The lowest over the ones above them. A flat spectrum exceeds it in one of a hundred series, one of a hundred correlation
times in one of ten, one of ten nearly always."""
BEYOND = 0.00135
"""Of a normal distribution, above three standard deviations."""


def standard_error(series: FloatArray) -> float | None:
    """The standard error of the mean of a correlated series, from its spectrum.

    The variance of a mean is the spectral density at frequency zero over the number of values. Densities at the
    frequencies j / n are independent of each other and of the mean (as autocorrelations, which are all too low by the
    variance of the mean, are not). Their mean over the lowest ones is carried on to zero as that of an exponential
    correlation, 1 / (1 + (f / f₀)²), from how it falls towards higher ones (after Heidelberger and Welch, Commun. ACM 24, 233
    (1981)). As the estimate is uncertain itself, it is enlarged until three errors mean what they mean where the
    error is known: 18 %, by Student's t of 16 degrees of freedom.

    What is slower than the whole series is not seen, here or by any look at the series alone.

    Args:
        series: (n,) equally spaced in time.

    Returns:
        In the units of the series; None where it is too short to tell: below some hundred correlation times, or 49 values.
    """
    return _error_of_mean(series, degrees_of_freedom=2 * LOWEST)


def slope(times: FloatArray, series: FloatArray) -> tuple[float, float | None] | None:
    """The slope of a straight line through a correlated series, and its standard error.

    Args:
        times: (n,), equally spaced.
        series: (n,).

    Returns:
        Both in the units of the series over those of the times; the error None where `standard_error` has none for what is
        left of the series; None for both with fewer than three values.
    """
    if len(series) < 3:
        return None
    centered = times - times.mean()
    spread = float(centered @ centered)
    value = float(centered @ series) / spread
    residual = series - series.mean() - value * centered
    error = _error_of_mean(residual, degrees_of_freedom=2 * LOWEST - 1)
    return value, None if error is None else error * math.sqrt(len(series) / spread)


def _error_of_mean(series: FloatArray, *, degrees_of_freedom: int) -> float | None:
    """Of a series whose lowest frequencies have lost what was fitted: 2 for each frequency less one for a line."""
    count = len(series)
    if count <= 2 * COMPARED:
        return None
    density = np.abs(np.fft.rfft(series - series.mean())[1 : COMPARED + 1]) ** 2 / count
    lowest = float(density[:LOWEST].sum()) * 2 / degrees_of_freedom
    above = float(density[LOWEST:].mean())
    if lowest > STEEPEST * above:
        return None
    if lowest > above:
        squares = np.arange(1, COMPARED + 1) ** 2
        reach = squares[:LOWEST].mean() / (squares[LOWEST:].mean() - squares[:LOWEST].mean())
        lowest /= 1 - reach * (lowest / above - 1)
    return math.sqrt(lowest / count) * float(stdtrit(degrees_of_freedom, 1 - BEYOND)) / 3
