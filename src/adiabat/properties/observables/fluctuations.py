"""Covariances of correlated series, with their standard errors."""

from adiabat.simulate.statistics import ENLARGED, standard_error
from adiabat.typing import FloatArray


def covariance(first: FloatArray, second: FloatArray) -> tuple[float, float | None]:
    """⟨δa δb⟩ of two series (n,), equally spaced in time, and its standard error; None where they are too short to tell.

    A covariance about the means of the series themselves is too small by the part 1 / (independent values); that is put back, as
    far as their number is known.
    """
    products = (first - first.mean()) * (second - second.mean())
    error = standard_error(products)
    shares = [_share(series) for series in (first, second)]
    correction = 1 / (1 - max(shares))
    return correction * float(products.mean()), None if error is None else correction * error


def scaled(error: float | None, by: float) -> float | None:
    """An error bar in other units, where it is known."""
    return None if error is None else abs(by) * error


def _share(series: FloatArray) -> float:
    """One over the number of independent values; over that of all where it is not known."""
    error, variance = standard_error(series), float(series.var())
    if error is None or not variance > 0:
        return 1 / len(series)
    return (error / ENLARGED) ** 2 / variance
