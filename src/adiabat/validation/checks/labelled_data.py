"""Errors and calibration on labelled structures."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from ase import Atoms

from adiabat.errors import PropertyUnavailable
from adiabat.evaluation import CalibrationSummary, KindCalibration, evaluate
from adiabat.evaluation.figures import evaluation_figures
from adiabat.results import Figure
from adiabat.system import Labelled
from adiabat.typing import FloatArray
from adiabat.validation.check import Case, CheckResult
from adiabat.validation.subject import Values

LEAST_COVERAGE = {"energy": 0.5, "forces": 0.55, "stress": 0.5}
"""Of errors within the central 68 % interval."""
ERROR_BARS = 50
"""Evaluations that exact standard deviations of one structure take as long as."""
NO_DATA = "not made: no labelled structures were given (--data)"


@dataclass(frozen=True)
class _Errors:
    """Of all structures together; an array without a number where there are no labels.

    Attributes:
        energy_ev_per_atom: Prediction less label.
        forces: Components, eV/Å.
        force_labels: The same components of the labels.
        stress: Components, eV/Å³.
        stress_labels: The same components of the labels.
        left_out: One for each structure of which the potential has no energy, such as an atom alone.
    """

    energy_ev_per_atom: FloatArray
    forces: FloatArray
    force_labels: FloatArray
    stress: FloatArray
    stress_labels: FloatArray
    left_out: FloatArray


class LabelledDataCheck:
    """Energies, forces and stresses of the data against their labels."""

    name: ClassVar[str] = "test set"

    def evaluations(self, case: Case) -> int:
        """All structures."""
        return len(case.data) * (1 + _with_error_bars(case))

    def run(self, case: Case) -> Sequence[CheckResult]:
        """An error of each kind of label there is, then the calibration of each."""
        if not case.data:
            return [CheckResult("test set", None, None, None, "", NO_DATA)]
        errors = _errors(case)
        results = _judged(case, errors)
        calibration, figures = _calibration(case)
        case.clock.tick(len(case.data) * _with_error_bars(case))
        if results and figures:
            first = results[0]
            results[0] = CheckResult(
                first.name, first.passed, first.value, first.limit, first.unit, first.reason, figures
            )
        return [*results, *calibration]


def _with_error_bars(case: Case) -> int:
    """Evaluations that those of one structure take as long as."""
    potential = case.subject.potential
    return 0 if potential is None else ERROR_BARS if potential.has_uncertainty else 1


def _errors(case: Case) -> _Errors:
    found: dict[str, list[FloatArray]] = {name: [] for name in _Errors.__dataclass_fields__}
    for structure in case.data:
        for name, values in _of_one(case, structure):
            found[name].append(np.ravel(values))
        case.clock.tick()
    return _Errors(**{name: np.concatenate(values) if values else np.zeros(0) for name, values in found.items()})


def _of_one(case: Case, structure: Labelled) -> Iterator[tuple[str, FloatArray]]:
    atoms, labels = structure.atoms, structure.labels
    values = _values(case, atoms, labels.stress is not None)
    if values is None:
        yield "left_out", np.ones(1)
        return
    if labels.energy is not None:
        yield "energy_ev_per_atom", np.array([values.energy_ev - labels.energy]) / len(atoms)
    if labels.forces is not None:
        yield "forces", values.forces - labels.forces
        yield "force_labels", labels.forces
    if labels.stress is not None and values.stress is not None:
        yield "stress", values.stress - labels.stress
        yield "stress_labels", labels.stress


def _values(case: Case, atoms: Atoms, stress: bool) -> Values | None:
    """Without the stress where that is all that is missing; None of what the potential has no energy of."""
    for asked in (stress, False):
        try:
            return case.subject.values(atoms, stress=asked)
        except PropertyUnavailable:
            continue
    return None


def _judged(case: Case, errors: _Errors) -> list[CheckResult]:
    limits, results = case.config.limits, []
    if len(errors.energy_ev_per_atom):
        mae, most = 1e3 * float(np.abs(errors.energy_ev_per_atom).mean()), limits.energy_mae_mev_per_atom
        reason = f"mean absolute error over {len(errors.energy_ev_per_atom)} structures: {mae:.3g} meV/atom; at most {most:g}."
        if len(errors.left_out):
            reason += f" Left out: {len(errors.left_out)}, of which it has no energy."
        results.append(CheckResult("test set: energy", mae <= most, mae, most, "meV/atom", reason))
    for kind, off, labels, most in (
        ("forces", errors.forces, errors.force_labels, limits.force_error),
        ("stress", errors.stress, errors.stress_labels, limits.stress_error),
    ):
        size = math.sqrt(float((labels**2).mean())) if len(labels) else 0.0
        if size > 0:
            share = math.sqrt(float((off**2).mean())) / size
            slope = float((labels + off) @ labels / (labels @ labels))
            wrong = " They have the wrong sign." if slope < -0.5 else ""
            reason = (
                f"root mean square error {share:.3g} of the root mean square of the labels; at most {most:g}.{wrong}"
            )
            results.append(CheckResult(f"test set: {kind}", share <= most, share, most, "", reason))
    return results


def _calibration(case: Case) -> tuple[list[CheckResult], tuple[Figure, ...]]:
    potential = case.subject.potential
    if potential is None:
        return [], ()
    evaluation = evaluate(potential, case.data, quiet=True)
    figures = evaluation_figures(evaluation.comparison)
    summary = evaluation.calibration
    if summary is None:
        why = "not made: the potential does not know how sure it is"
        return [CheckResult("test set: calibration", None, None, None, "", why)], figures
    return [_covered(kind, one) for kind, one in _kinds(summary) if one.coverage_68 is not None], figures


def _kinds(summary: CalibrationSummary) -> tuple[tuple[str, KindCalibration], ...]:
    return ("energy", summary.energy), ("forces", summary.forces), ("stress", summary.stress)


def _covered(kind: str, one: KindCalibration) -> CheckResult:
    """Error bars that are too small are the danger; too large ones only cost."""
    found, least = one.coverage_68 or 0.0, LEAST_COVERAGE[kind]
    if one.calibrated_range_68 is not None:
        least = min(least, one.calibrated_range_68[0])
    reason = f"68 % intervals hold {100 * found:.0f} % of {one.count} errors; {100 * least:.0f} % or more is right."
    return CheckResult(f"test set: calibration of {kind}", found >= least, found, least, "", reason)
