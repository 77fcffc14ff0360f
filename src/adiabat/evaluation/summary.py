"""ErrorSummary: the errors of a set of structures, in the units that people compare."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from adiabat.evaluation.calibration import CalibrationSummary, calibrate
from adiabat.evaluation.compare import Compared
from adiabat.evaluation.statistics import Interval, Statistics, statistics
from adiabat.units import GPA_PER_EV_PER_CUBIC_ANGSTROM


@dataclass(frozen=True)
class ErrorSummary:
    """Errors of energy, forces and stress; None where there are no labels of the kind.

    Intervals are 95 % bootstrap intervals over what is independent: groups, and structures without a group; None below five
    of them.

    Attributes:
        configurations: Structures compared.
        atoms: Their atoms.
        energy_labels: Structures with an energy.
        energy_independent: Groups among them, and structures without a group.
        force_labels: Structures with forces.
        force_independent: Likewise.
        stress_labels: Structures with a stress.
        stress_independent: Likewise.
        energy_mae_mev: Of the energies of whole structures.
        energy_mae_mev_per_atom: Of energies divided by the number of atoms, each structure counted once.
        force_mae_ev_per_angstrom: Over the components of the forces on all atoms.
        stress_mae_gpa: Over the six components of the stresses.
        energy_largest_place: The structure with the largest energy error per atom.
        force_largest_place: The structure and atom with the largest error of a force component.
        stress_largest_place: The structure with the largest error of a stress component.
        calibration: How the potential's standard deviations go with these errors; None where it was asked for none.
    """

    configurations: int
    atoms: int
    energy_labels: int
    energy_independent: int
    force_labels: int
    force_independent: int
    stress_labels: int
    stress_independent: int
    energy_mae_mev: float | None
    energy_mae_mev_interval_95: Interval | None
    energy_rmse_mev: float | None
    energy_mae_mev_per_atom: float | None
    energy_mae_mev_per_atom_interval_95: Interval | None
    energy_rmse_mev_per_atom: float | None
    energy_largest_mev_per_atom: float | None
    energy_largest_place: str | None
    force_mae_ev_per_angstrom: float | None
    force_mae_ev_per_angstrom_interval_95: Interval | None
    force_rmse_ev_per_angstrom: float | None
    force_largest_ev_per_angstrom: float | None
    force_largest_place: str | None
    stress_mae_gpa: float | None
    stress_mae_gpa_interval_95: Interval | None
    stress_rmse_gpa: float | None
    stress_largest_gpa: float | None
    stress_largest_place: str | None
    calibration: CalibrationSummary | None


def summarize(compared: Sequence[Compared]) -> ErrorSummary:
    """The errors of some structures together."""
    energies = [(one, 1000 * error) for one in compared if (error := one.energy_error_ev) is not None]
    forces = [(one, errors) for one in compared if (errors := one.force_errors) is not None]
    stresses = [(one, errors) for one in compared if (errors := one.stress_errors) is not None]
    energy = statistics([np.array([error]) for _, error in energies], _groups(energies))
    per_atom = statistics([np.array([error / one.n_atoms]) for one, error in energies], _groups(energies))
    force = statistics([errors for _, errors in forces], _groups(forces))
    stress = statistics([errors * GPA_PER_EV_PER_CUBIC_ANGSTROM for _, errors in stresses], _groups(stresses))
    energy_places = [one.structure.place for one, _ in energies]
    force_places = [one.structure.place for one, _ in forces]
    stress_places = [one.structure.place for one, _ in stresses]
    return ErrorSummary(
        configurations=len(compared),
        atoms=sum(one.n_atoms for one in compared),
        energy_labels=len(energies),
        energy_independent=energy.independent,
        force_labels=len(forces),
        force_independent=force.independent,
        stress_labels=len(stresses),
        stress_independent=stress.independent,
        energy_mae_mev=energy.mae,
        energy_mae_mev_interval_95=energy.mae_interval_95,
        energy_rmse_mev=energy.rmse,
        energy_mae_mev_per_atom=per_atom.mae,
        energy_mae_mev_per_atom_interval_95=per_atom.mae_interval_95,
        energy_rmse_mev_per_atom=per_atom.rmse,
        energy_largest_mev_per_atom=per_atom.largest,
        energy_largest_place=_place(per_atom, energy_places),
        force_mae_ev_per_angstrom=force.mae,
        force_mae_ev_per_angstrom_interval_95=force.mae_interval_95,
        force_rmse_ev_per_angstrom=force.rmse,
        force_largest_ev_per_angstrom=force.largest,
        force_largest_place=_place_of_atom(force, force_places),
        stress_mae_gpa=stress.mae,
        stress_mae_gpa_interval_95=stress.mae_interval_95,
        stress_rmse_gpa=stress.rmse,
        stress_largest_gpa=stress.largest,
        stress_largest_place=_place(stress, stress_places),
        calibration=calibrate(compared),
    )


def _groups(errors: Sequence[tuple[Compared, Any]]) -> list[str | None]:
    return [one.structure.group for one, _ in errors]


def _place(found: Statistics, places: Sequence[str]) -> str | None:
    return None if found.largest_in is None else places[found.largest_in]


def _place_of_atom(found: Statistics, places: Sequence[str]) -> str | None:
    if found.largest_in is None or found.largest_at is None:
        return None
    return f"{places[found.largest_in]}, atom {found.largest_at // 3}"
