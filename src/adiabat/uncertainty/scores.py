"""How well standard deviations go with the errors that were made: functions of both, for Gaussian predictions.

Coverage and negative log likelihood are proper in the sense of T. Gneiting and A. E. Raftery, J. Am. Stat. Assoc. 102, 359
(2007); the variance of a share among correlated samples is the usual one of cluster sampling (L. Kish, Survey Sampling, 1965).
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from adiabat.errors import DataError
from adiabat.typing import FloatArray, IntArray

LEVELS = (0.50, 0.68, 0.90, 0.95)
"""Of the central intervals that are reported."""
SURE = 0.99
"""How often a calibrated prediction lies within the intervals that are given for it."""
FEWEST_TO_RANK = 3


def coverage(errors: FloatArray, std: FloatArray, level: float) -> float:
    """The share of errors within the central interval of a level: about as large as the level where std is calibrated.

    Args:
        errors: (n,) of any unit.
        std: (n,) in the same unit, positive.
        level: Between 0 and 1.

    Raises:
        DataError: No sample, a number that is not finite, a standard deviation that is not positive, another level.
    """
    return float(np.mean(inside(errors, std, level)))


def inside(errors: FloatArray, std: FloatArray, level: float) -> np.ndarray:
    """(n,) bool: which errors lie within the central interval of a level; arguments and errors as of `coverage`."""
    _require_level(level)
    return np.abs(standardized(errors, std)) <= ndtri(0.5 * (1 + level))


def negative_log_likelihood(errors: FloatArray, std: FloatArray) -> float:
    """The mean of ln σ + (e/σ)²/2 + ln(2π)/2: the lower the better; it depends on the unit of the errors.

    Arguments and errors as of `coverage`.
    """
    z = standardized(errors, std)
    return float(np.mean(np.log(std) + 0.5 * z**2) + 0.5 * np.log(2 * np.pi))


def root_mean_square_z(errors: FloatArray, std: FloatArray) -> float:
    """The root mean square of e/σ: one where σ is right on average; arguments and errors as of `coverage`."""
    return float(np.sqrt(np.mean(standardized(errors, std) ** 2)))


def rank_correlation(magnitudes: FloatArray, std: FloatArray) -> float | None:
    """Spearman's: 1 where the larger error always has the larger standard deviation.

    Args:
        magnitudes: (n,) of the errors, not negative.
        std: (n,) of what they are the magnitudes of.

    Returns:
        None where there is none: fewer than three samples, or all errors or all standard deviations alike.

    Raises:
        DataError: Arrays of different shapes, or a number that is not finite.
    """
    from scipy.stats import rankdata  # whose import takes a third of a second, which few commands need

    magnitudes, std = _alike(magnitudes, std)
    if len(std) < FEWEST_TO_RANK or np.ptp(magnitudes) == 0 or np.ptp(std) == 0:
        return None
    return float(np.corrcoef(rankdata(magnitudes), rankdata(std))[0, 1])


def effective_count(hits: np.ndarray, groups: IntArray) -> float:
    """How many independent samples tell a share as well as these do, of which those of one group go together.

    Args:
        hits: (n,) bool.
        groups: (n,) the group of each sample, numbered from 0.

    Returns:
        At most n, and at least 1.
    """
    sizes = np.bincount(groups)
    n, n_groups = len(hits), int((sizes > 0).sum())
    share = float(np.mean(hits))
    if n_groups in (1, n) or share in (0.0, 1.0):
        return float(n_groups)
    deviations = np.bincount(groups, hits - share)
    clustered = float(np.square(deviations).sum()) * n_groups / (n_groups - 1)
    return float(np.clip(n * n * share * (1 - share) / clustered, 1, n)) if clustered > 0 else float(n)


def calibrated_range(level: float, count: float, *, sure: float = SURE) -> tuple[float, float]:
    """Between which shares a calibrated prediction's coverage lies, of so many independent samples.

    The central interval of the binomial distribution.

    Args:
        level: Of the intervals, between 0 and 1.
        count: Samples, one or more; of a number that is not whole, the whole part.
        sure: How often it lies there.

    Raises:
        DataError: Another level, or less than one sample.
    """
    from scipy.stats import binom  # as above

    _require_level(level)
    whole = int(count)
    if whole < 1:
        raise DataError(
            f"{count:g} samples were given",
            rule="a coverage needs one sample or more",
            mend="give errors and their standard deviations",
        )
    low, high = binom.interval(sure, whole, level)
    return float(low) / whole, float(high) / whole


def is_calibrated(observed: float, level: float, count: float) -> bool:
    """Whether a calibrated prediction of so many independent samples could well have this coverage: 99 % of them do."""
    low, high = calibrated_range(level, count)
    return low <= observed <= high


@dataclass(frozen=True)
class Reliability:
    """Coverage against what it should be.

    Attributes:
        levels: (m,) of the intervals: what the coverage of a calibrated prediction would be in the long run.
        observed: (m,) the coverage.
        low: (m,) where the coverage of a calibrated prediction begins, of so many samples (99 %).
        high: (m,) where it ends.
    """

    levels: FloatArray
    observed: FloatArray
    low: FloatArray
    high: FloatArray


def reliability(
    errors: FloatArray, std: FloatArray, levels: FloatArray, *, groups: IntArray | None = None
) -> Reliability:
    """The reliability curve, with its binomial band.

    Args:
        errors: (n,) as of `coverage`.
        std: (n,) likewise.
        levels: (m,) between 0 and 1.
        groups: (n,) the group of each sample, numbered from 0, where those of one group are not independent.

    Raises:
        DataError: As `coverage`.
    """
    hits = [inside(errors, std, float(level)) for level in levels]
    alone = groups if groups is not None else np.arange(np.size(errors))
    ranges = [
        calibrated_range(float(level), effective_count(hit, alone)) for level, hit in zip(levels, hits, strict=True)
    ]
    low, high = np.array(ranges).T
    return Reliability(np.asarray(levels, dtype=np.float64), np.array([hit.mean() for hit in hits]), low, high)


def standardized(errors: FloatArray, std: FloatArray) -> FloatArray:
    """(n,) e/σ; arguments and errors as of `coverage`."""
    errors, std = _alike(errors, std)
    if len(errors) == 0 or not (std > 0).all():
        raise DataError(
            f"{len(std)} standard deviations were given, {int((std <= 0).sum())} of them not positive",
            rule="a calibration is that of one error or more, each with a positive standard deviation",
            mend="leave out what is predicted without any uncertainty, and say so",
        )
    return errors / std


def _alike(errors: FloatArray, std: FloatArray) -> tuple[FloatArray, FloatArray]:
    errors, std = np.asarray(errors, dtype=np.float64), np.asarray(std, dtype=np.float64)
    if errors.shape != std.shape or errors.ndim != 1:
        raise DataError(
            f"errors have the shape {errors.shape}, standard deviations {std.shape}",
            rule="each error has its standard deviation: two arrays (n,)",
            mend="flatten both alike",
        )
    if not (np.isfinite(errors).all() and np.isfinite(std).all()):
        raise DataError(
            f"{int((~np.isfinite(errors)).sum())} errors and {int((~np.isfinite(std)).sum())} standard deviations are "
            "not finite",
            rule="a calibration is that of finite numbers",
            mend="find where they come from; none is left out",
        )
    return errors, std


def _require_level(level: float) -> None:
    if not 0 < level < 1:
        raise DataError(
            f"the level {level:g} was given",
            rule="the level of an interval lies between 0 and 1",
            mend="give 0.68 for the interval that holds 68 %",
        )
