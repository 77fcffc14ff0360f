"""Fewer points where more could not be told apart."""

import numpy as np

from adiabat.results import Points
from adiabat.typing import FloatArray, IntArray

MOST_POINTS = 4000
"""Of one series: a browser draws this many without a pause, and the file stays small."""
FINEST_GRID = 512
"""Cells along an axis of a plot: about one per pixel."""


def drawable(mark_x: FloatArray, mark_y: FloatArray, *, x_log: bool, y_log: bool) -> np.ndarray:
    """Which points exist on these axes: finite ones, on a logarithmic axis positive ones."""
    exists = np.isfinite(mark_x) & np.isfinite(mark_y)
    if x_log:
        exists &= mark_x > 0
    if y_log:
        exists &= mark_y > 0
    return exists


def thinned(points: Points, *, x_log: bool, y_log: bool) -> IntArray:
    """Indices of the points to draw: all, or of each cell of the finest grid that leaves at most MOST_POINTS, the first.

    Points that lie alone are always among them, so that what sticks out is never lost.
    """
    chosen = np.flatnonzero(drawable(points.x, points.y, x_log=x_log, y_log=y_log))
    if len(chosen) <= MOST_POINTS:
        return chosen
    x = _unit(np.log(points.x[chosen]) if x_log else points.x[chosen])
    y = _unit(np.log(points.y[chosen]) if y_log else points.y[chosen])
    grid, kept = FINEST_GRID, chosen
    while len(kept) > MOST_POINTS:
        cell = np.minimum((x * grid).astype(np.int64), grid - 1) * grid + np.minimum(
            (y * grid).astype(np.int64), grid - 1
        )
        first = np.unique(cell, return_index=True)[1]
        kept, grid = chosen[np.sort(first)], int(grid / 1.25)
    return kept


def _unit(values: FloatArray) -> FloatArray:
    span = float(np.ptp(values))
    return (values - values.min()) / span if span > 0 else np.zeros_like(values)
