"""Means of correlated series, with their standard errors."""

import math

import numpy as np

from adiabat.typing import FloatArray


def standard_error(series: FloatArray) -> float | None:
    """The standard error of the mean of a correlated series, by blocking.

    Blocks are doubled (Flyvbjerg and Petersen, J. Chem. Phys. 91, 461 (1989)) until B³ > 2 n (s_B / s_1)⁴, with s_B the
    estimate from blocks of B out of n values (Lee et al., Phys. Rev. E 83, 066706 (2011)).

    Args:
        series: (n,) equally spaced in time.

    Returns:
        In the units of the series; None where it is too short to tell.
    """
    first = _from_blocks(series)
    blocks, size = series, 1
    while first is not None:
        estimate = _from_blocks(blocks)
        if estimate is None:
            return None
        if first == 0 or size**3 > 2 * len(series) * (estimate / first) ** 4:
            return estimate
        blocks = 0.5 * (blocks[: len(blocks) // 2 * 2 : 2] + blocks[1::2])
        size *= 2
    return None


def slope(times: FloatArray, series: FloatArray) -> tuple[float, float | None] | None:
    """The slope of a straight line through a correlated series, and its standard error.

    Args:
        times: (n,), equally spaced.
        series: (n,).

    Returns:
        Both in the units of the series over those of the times; None with fewer than three values.
    """
    if len(series) < 3:
        return None
    centered = times - times.mean()
    spread = float(centered @ centered)
    value = float(centered @ series) / spread
    residual = series - series.mean() - value * centered
    error = standard_error(residual)
    return value, None if error is None else error * math.sqrt(len(series) / spread)


def _from_blocks(blocks: FloatArray) -> float | None:
    return float(np.std(blocks, ddof=1)) / math.sqrt(len(blocks)) if len(blocks) > 1 else None
