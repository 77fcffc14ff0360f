"""Samples of correlated series, thinned until they are independent."""

import numpy as np

from adiabat.typing import FloatArray


def statistical_inefficiency(series: FloatArray) -> float:
    """How many values of (R, T) correlated series are worth one: 1 + 2 Σ ρ(k) (1 - k/T).

    The sum ends before the first lag at which pairs of neighbouring correlations are not positive (C. Geyer, Stat. Sci. 7, 473
    (1992), the initial positive sequence). Correlations are about the mean of all series.
    """
    runs, count = series.shape
    away = series - series.mean()
    spectrum = np.abs(np.fft.rfft(away, n=2 * count, axis=1)) ** 2
    lagged = np.fft.irfft(spectrum, n=2 * count, axis=1)[:, :count].sum(axis=0) / (runs * (count - np.arange(count)))
    if not lagged[0] > 0:
        return 1.0
    correlation = lagged / lagged[0]
    pairs = correlation[: count // 2 * 2].reshape(-1, 2).sum(axis=1)
    negative = np.flatnonzero(pairs <= 0)
    last = 2 * (int(negative[0]) if len(negative) else len(pairs))
    lags = np.arange(1, last)
    return max(1.0, 1 + 2 * float(((1 - lags / count) * correlation[1:last]).sum()))


def effective_count(series: FloatArray, *, inefficiency: float = 1.0) -> float:
    """How many independent values (R, T) correlated ones are worth.

    Args:
        series: (R, T).
        inefficiency: By theory; the estimate, which is uncertain itself, counts where it is larger.
    """
    return series.size / max(inefficiency, statistical_inefficiency(series))


def thinned(series: FloatArray, *, inefficiency: float = 1.0) -> FloatArray:
    """Values of (R, T) series, so far apart that they are independent; arguments as of `effective_count`."""
    every = int(np.ceil(max(inefficiency, statistical_inefficiency(series))))
    return series[:, ::every].ravel()
