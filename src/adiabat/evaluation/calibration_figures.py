"""The plots of a calibration, as data: reliability curves, and errors against the standard deviations predicted for them."""

from collections.abc import Sequence

import numpy as np

from adiabat.evaluation.calibration_samples import Samples, energy_samples, force_samples, stress_samples
from adiabat.evaluation.compare import Compared
from adiabat.results import Figure, Line, Points
from adiabat.typing import FloatArray, IntArray
from adiabat.uncertainty.scores import reliability

RELIABILITY_LEVELS = np.linspace(0.02, 0.98, 49)
FEWEST_TO_DRAW = 5
MOST_BINS = 12
PER_BIN = 5
"""Errors, at least: the root mean square of fewer says little."""
DRAWN = (
    ("energy", "energy error (meV/atom)", 1000.0, energy_samples),
    ("force", "error of the force on an atom (eV/Å)", 1.0, force_samples),
    ("stress", "error of a stress component (GPa)", 1.0, stress_samples),
)
BAND_NOTE = (
    "Band: where the curve of calibrated standard deviations lies, in 99 of 100 cases at each level, with so many errors; "
    "those of one structure or group count as fewer, by how far they go together. Below the band, intervals are too narrow."
)
BIN_NOTE = (
    "Line: root mean squares of bins with equally many errors; on the dashed line, standard deviations are right."
)


def calibration_figures(compared: Sequence[Compared]) -> tuple[Figure, ...]:
    """Of each kind of label with errors enough, and a standard deviation for each of them."""
    found = [(*drawn[:3], drawn[3](compared)) for drawn in DRAWN]
    usable = [each for each in found if len(each[3].std) >= FEWEST_TO_DRAW and (each[3].std > 0).all()]
    curves = [_reliability(kind, samples) for kind, _, _, samples in usable]
    scatters = [_scatter(kind, label, scale, samples) for kind, label, scale, samples in usable]
    return (*curves, *scatters)


def _reliability(kind: str, samples: Samples) -> Figure:
    curve = reliability(samples.errors, samples.std, RELIABILITY_LEVELS, groups=samples.groups)
    middle, half = 0.5 * (curve.low + curve.high), 0.5 * (curve.high - curve.low)
    return Figure(
        name=f"{kind}-reliability",
        title=f"{kind.capitalize()}: reliability of the intervals",
        x_label="level of the interval",
        y_label="share of the errors within it",
        marks=(
            Line(curve.levels, middle, "calibrated", band=half, dashed=True),
            Line(curve.levels, curve.observed, "observed"),
        ),
        note=BAND_NOTE,
        equal_axes=True,
    )


def _scatter(kind: str, label: str, scale: float, samples: Samples) -> Figure:
    std, error = scale * samples.magnitude_std, scale * samples.magnitudes
    bins = _bins(std)
    x, y = (np.array([_root_mean_square(values[chosen]) for chosen in bins]) for values in (std, error))
    ends = np.array([std.min(), std.max()])
    return Figure(
        name=f"{kind}-deviation",
        title=f"{kind.capitalize()}: error against predicted standard deviation",
        x_label=label.replace("error", "standard deviation", 1),
        y_label=label,
        marks=(
            Line(ends, ends, "equal", dashed=True),
            Points(std, error, "errors", samples.texts),
            Line(x, y, "root mean square"),
        ),
        x_scale="log",
        y_scale="log",
        note=BIN_NOTE,
    )


def _bins(std: FloatArray) -> list[IntArray]:
    order = np.argsort(std, kind="stable")
    return np.array_split(order, int(np.clip(len(order) // PER_BIN, 1, MOST_BINS)))


def _root_mean_square(values: FloatArray) -> float:
    return float(np.sqrt(np.mean(values**2)))
