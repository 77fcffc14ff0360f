"""Means of correlated series, with their standard errors."""

import math

import numpy as np
from scipy.special import ndtr, stdtrit

from adiabat.typing import FloatArray

LOWEST = 8
"""Frequencies, the lowest of a series, that its error bar comes from: few, for the spectrum bends at the inverse correlation
time; enough, for each is as uncertain as it is large."""
COMPARED = 24
"""Frequencies, those among them, that show whether the spectrum is flat there."""
STEEPEST = 3.0
"""The lowest over the ones above them. A flat spectrum exceeds it in one of a hundred series, one of a hundred correlation
times in one of ten, one of ten nearly always."""
ENLARGED = float(stdtrit(2 * LOWEST, ndtr(3.0))) / 3
"""An error bar that is uncertain itself, by this much, so that three of them mean what they mean where the error is known."""


def standard_error(series: FloatArray) -> float | None:
    """The standard error of the mean of a correlated series, from its spectrum.

    The variance of a mean is the spectral density at frequency zero over the number of values. Densities at the
    frequencies j / n are independent of each other and of the mean (as autocorrelations, which are all too low by the
    variance of the mean, are not). Their mean over the lowest ones is carried on to zero as that of an exponential
    correlation, 1 / (1 + (f / f₀)²), from how it falls towards higher ones (after Heidelberger and Welch, Commun. ACM 24, 233
    (1981)). As the estimate is uncertain itself, it is enlarged, by 18 %: Student's t of 16 degrees of freedom.

    What is slower than the whole series is not seen, here or by any look at the series alone.

    Args:
        series: (n,) equally spaced in time.

    Returns:
        In the units of the series; None where it is too short to tell: below some hundred correlation times, or 49 values.
    """
    count = len(series)
    if count <= 2 * COMPARED:
        return None
    density = periodogram(series - series.mean(), COMPARED)
    lowest, above = float(density[:LOWEST].mean()), float(density[LOWEST:].mean())
    if lowest > STEEPEST * above:
        return None
    if lowest > above:
        squares = np.arange(1, COMPARED + 1) ** 2
        reach = squares[:LOWEST].mean() / (squares[LOWEST:].mean() - squares[:LOWEST].mean())
        lowest /= 1 - reach * (lowest / above - 1)
    return ENLARGED * math.sqrt(lowest / count)


def periodogram(series: FloatArray, count: int) -> FloatArray:
    """(count,) spectral densities of a series of mean zero at its lowest frequencies but zero."""
    return np.abs(np.fft.rfft(series)[1 : count + 1]) ** 2 / len(series)
