"""What is said of a set of errors: mean, root mean square, largest, and how sure the mean is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adiabat.typing import FloatArray, IntArray

BOOTSTRAP_SAMPLES = 2000
"""Fixes the ends of a 95 % interval to about a twentieth of its width."""
BOOTSTRAP_SEED = 0
FEWEST_FOR_INTERVAL = 5
"""Groups or structures, below which resampling says nothing of the spread."""

Interval = tuple[float, float]


@dataclass(frozen=True)
class Statistics:
    """Of errors that belong to structures; None where there are no errors.

    Attributes:
        independent: Groups, and structures without a group.
        mae: Mean magnitude over all components of all structures.
        mae_interval_95: 95 % bootstrap interval of `mae` over what is independent; None below FEWEST_FOR_INTERVAL.
        rmse: Root of the mean square, likewise.
        largest: Largest magnitude.
        largest_in: The structure that holds it.
        largest_at: Its place among the structure's components.
    """

    independent: int = 0
    mae: float | None = None
    mae_interval_95: Interval | None = None
    rmse: float | None = None
    largest: float | None = None
    largest_in: int | None = None
    largest_at: int | None = None


def statistics(errors: Sequence[FloatArray], groups: Sequence[str | None] | None = None) -> Statistics:
    """Of the errors of each structure.

    Args:
        errors: One or more components of each structure, in one unit throughout.
        groups: What each structure belongs to (a trajectory, a parent structure): those of one group are not independent.
    """
    if not errors:
        return Statistics()
    belongs = independent_groups(groups or [None] * len(errors))
    magnitudes = [np.abs(np.ravel(error)) for error in errors]
    sums = np.array([magnitude.sum() for magnitude in magnitudes])
    squares = sum(float(np.square(magnitude).sum()) for magnitude in magnitudes)
    counts = np.array([len(magnitude) for magnitude in magnitudes])
    worst = int(np.argmax([magnitude.max() for magnitude in magnitudes]))
    at = int(magnitudes[worst].argmax())
    totals = np.zeros((int(belongs.max()) + 1, 2))
    np.add.at(totals, belongs, np.stack([sums, counts], axis=1))
    return Statistics(
        independent=len(totals),
        mae=float(sums.sum() / counts.sum()),
        mae_interval_95=_bootstrap(*totals.T),
        rmse=float(np.sqrt(squares / counts.sum())),
        largest=float(magnitudes[worst][at]),
        largest_in=worst,
        largest_at=at,
    )


def independent_groups(groups: Sequence[str | None]) -> IntArray:
    """(S,) numbers from 0, the same for structures of one group."""
    keys = [(index, None) if group is None else (-1, group) for index, group in enumerate(groups)]
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return np.array([numbers[key] for key in keys])


def _bootstrap(sums: FloatArray, counts: FloatArray) -> Interval | None:
    """Percentiles of the mean over what is independent, drawn with replacement: components of one structure are not."""
    n = len(sums)
    if n < FEWEST_FOR_INTERVAL:
        return None
    random = np.random.default_rng(BOOTSTRAP_SEED)
    drawn = (random.integers(n, size=n) for _ in range(BOOTSTRAP_SAMPLES))
    means = [sums[chosen].sum() / counts[chosen].sum() for chosen in drawn]
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)
