"""Covariances of correlated series, with their standard errors."""

from adiabat.errors import DataError
from adiabat.simulate.statistics import ENLARGED, standard_error
from adiabat.typing import FloatArray


def covariance(first: FloatArray, second: FloatArray, *, what: str) -> tuple[float, float]:
    """⟨δa δb⟩ of two series (n,), equally spaced in time, and its standard error.

    A covariance about the means of the series themselves is too small by the part 1 / (independent values); that is put back.

    Raises:
        DataError: The series are too short to tell.
    """
    products = (first - first.mean()) * (second - second.mean())
    error = standard_error(products)
    errors = [standard_error(series) for series in (first, second)]
    if error is None or None in errors:
        raise DataError(
            f"{what}: {len(first)} values",
            rule="fluctuations take some hundred correlation times, and 49 values or more",
            mend="run for longer, or log more often",
        )
    shares = [
        (mean_error / ENLARGED) ** 2 / float(series.var())
        for series, mean_error in zip((first, second), errors, strict=True)
        if mean_error is not None and series.var() > 0
    ]
    correction = 1 / (1 - max(shares, default=0.0))
    return correction * float(products.mean()), correction * error
