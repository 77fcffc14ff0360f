"""Means over frames with their standard errors, for many series at once and for blocks of a trajectory."""

import math

import numpy as np
from scipy.special import ndtr, stdtrit

from adiabat.simulate.statistics import standard_error
from adiabat.typing import FloatArray

BLOCKS = 8
"""Of a trajectory, where a quantity needs a stretch of it: few, so that each is long; enough for an error bar."""


def standard_errors(series: FloatArray) -> FloatArray:
    """(B,) of the means of (T, B), each correlated in time; not a number where the trajectory is too short to tell.

    By the spectra of the series, as `simulate.statistics` has it for one.
    """
    errors = [standard_error(np.ascontiguousarray(one)) for one in series.T]
    return np.array([math.nan if error is None else error for error in errors])


def over_blocks(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and standard error over independent blocks, the first axis.

    The error is enlarged as Student's t has it at three standard errors: of few blocks it is uncertain itself.
    """
    count = len(values)
    return values.mean(axis=0), enlarged(count - 1) * values.std(axis=0, ddof=1) / math.sqrt(count)


def enlarged(freedom: int) -> float:
    """By how much an error bar is enlarged so that three of them mean what they mean where the error is known."""
    return float(stdtrit(freedom, ndtr(3.0))) / 3


def blocks_of(frames: int, blocks: int = BLOCKS) -> list[slice]:
    """Equal stretches one after the other; what is left over at the start is skipped."""
    length = frames // blocks
    first = frames - blocks * length
    return [slice(first + block * length, first + (block + 1) * length) for block in range(blocks)]
