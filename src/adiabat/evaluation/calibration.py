"""CalibrationSummary: whether predicted standard deviations go with the errors that were made."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adiabat.evaluation.calibration_samples import Samples, energy_samples, force_samples, stress_samples
from adiabat.evaluation.compare import Compared
from adiabat.evaluation.statistics import FEWEST_FOR_INTERVAL, Interval
from adiabat.uncertainty.scores import (
    calibrated_range,
    coverage,
    effective_count,
    inside,
    negative_log_likelihood,
    rank_correlation,
    root_mean_square_z,
)


@dataclass(frozen=True)
class KindCalibration:
    """Of one kind of label; None where there are no errors, or where a standard deviation among them is zero.

    Attributes:
        coverage_50: Share of the errors within the central 50 % interval of a normal distribution, 0..1.
        coverage_68: Likewise.
        coverage_90: Likewise.
        coverage_95: Likewise.
        negative_log_likelihood: Mean over the errors, in eV/atom, eV/Å or GPa: the lower the better.
        rank_correlation: Spearman's, of the magnitudes of errors and their standard deviations; of forces, of the error
            vectors of atoms. None also where there is nothing to rank.
        root_mean_square_z: Of errors divided by their standard deviations.
        count: Errors: of energies per atom, of components of forces and stresses.
        independent: Groups of structures, and structures without a group, that they come from.
        left_out: Errors that are not among these: of isolated atoms' energies, and of components that are zero by symmetry.
        zero_std: Errors among these whose standard deviation is zero.
        calibrated_range_68: Where 99 % of calibrated predictions have `coverage_68`, of so many errors, as far as they are
            independent; None of fewer than five that are.
        calibrated_range_95: Likewise.
    """

    coverage_50: float | None
    coverage_68: float | None
    coverage_90: float | None
    coverage_95: float | None
    negative_log_likelihood: float | None
    rank_correlation: float | None
    root_mean_square_z: float | None
    count: int
    independent: int
    left_out: int
    zero_std: int
    calibrated_range_68: Interval | None
    calibrated_range_95: Interval | None


@dataclass(frozen=True)
class CalibrationSummary:
    """By kind of label.

    Attributes:
        energy: Per atom.
        forces: Per component; the rank correlation per atom.
        stress: Per component.
    """

    energy: KindCalibration
    forces: KindCalibration
    stress: KindCalibration


def calibrate(compared: Sequence[Compared]) -> CalibrationSummary | None:
    """How the standard deviations of some structures go with their errors; None where none was predicted."""
    if not any(one.std.any for one in compared):
        return None
    return CalibrationSummary(
        energy=kind_calibration(energy_samples(compared)),
        forces=kind_calibration(force_samples(compared)),
        stress=kind_calibration(stress_samples(compared)),
    )


def kind_calibration(samples: Samples) -> KindCalibration:
    """The scores of errors of one kind."""
    errors, std = samples.errors, samples.std
    zero_std = int((std == 0).sum())
    usable = len(std) > 0 and zero_std == 0
    covered = [coverage(errors, std, level) if usable else None for level in (0.50, 0.68, 0.90, 0.95)]
    independent = len(np.unique(samples.groups))
    ranges = [
        _range(samples, level) if usable and independent >= FEWEST_FOR_INTERVAL else None for level in (0.68, 0.95)
    ]
    return KindCalibration(
        coverage_50=covered[0],
        coverage_68=covered[1],
        coverage_90=covered[2],
        coverage_95=covered[3],
        negative_log_likelihood=negative_log_likelihood(errors, std) if usable else None,
        rank_correlation=rank_correlation(samples.magnitudes, samples.magnitude_std) if usable else None,
        root_mean_square_z=root_mean_square_z(errors, std) if usable else None,
        count=len(std),
        independent=independent,
        left_out=samples.left_out,
        zero_std=zero_std,
        calibrated_range_68=ranges[0],
        calibrated_range_95=ranges[1],
    )


def _range(samples: Samples, level: float) -> Interval:
    hits = inside(samples.errors, samples.std, level)
    return calibrated_range(level, effective_count(hits, samples.groups))
