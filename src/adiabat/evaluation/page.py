"""What the report of an evaluation shows."""

from collections.abc import Mapping, Sequence

import numpy as np

from adiabat.evaluation.calibration_figures import calibration_figures
from adiabat.evaluation.calibration_words import calibration_by_type_tables, calibration_sentences, calibration_table
from adiabat.evaluation.compare import Compared
from adiabat.evaluation.evaluate import Evaluation
from adiabat.evaluation.figures import evaluation_figures, learning_curve_figures
from adiabat.evaluation.learning_curve import LearningCurve
from adiabat.evaluation.least_known import least_known_views
from adiabat.evaluation.statistics import Interval
from adiabat.evaluation.tables import error_table, left_out_table, worst_table
from adiabat.evaluation.trust_words import trust_sentences, trust_tables
from adiabat.results import Page, StructureView

WORST_SHOWN = 6
WITHOUT_DISTANCE = (
    "Errors against the distance from the training data are not shown: without statistics of the features that the "
    "potential was trained on, there is no distance."
)


def evaluation_page(
    evaluation: Evaluation,
    *,
    title: str = "Evaluation",
    learning_curve: LearningCurve | None = None,
    details: Mapping[str, str] | None = None,
) -> Page:
    """The report of an evaluation.

    Args:
        evaluation: The errors.
        title: Of the page: what was evaluated on what.
        learning_curve: Shown where it is given.
        details: Where the numbers come from: files, versions, settings.
    """
    worst = _worst(evaluation.comparison.compared)
    tables = [error_table(evaluation)]
    summary = [*error_sentences(evaluation), *calibration_sentences(evaluation.calibration)]
    if evaluation.calibration is not None:
        tables += [calibration_table(evaluation.calibration), *calibration_by_type_tables(evaluation)]
    tables.append(worst_table(worst))
    if evaluation.uncertainty is not None:
        tables += trust_tables(evaluation.uncertainty)
        summary += trust_sentences(evaluation.uncertainty)
    if all(one.distance is None for one in evaluation.comparison.compared):
        summary.append(WITHOUT_DISTANCE)
    if evaluation.left_out:
        tables.append(left_out_table(evaluation))
    curves = learning_curve_figures(learning_curve) if learning_curve is not None else ()
    return Page(
        title=title,
        summary=tuple(summary),
        tables=tuple(tables),
        figures=(
            *calibration_figures(evaluation.comparison.compared),
            *evaluation_figures(evaluation.comparison),
            *curves,
        ),
        structures=(
            *(_view(one, f"worst-{rank}") for rank, one in enumerate(worst, 1)),
            *least_known_views(evaluation.comparison.compared),
        ),
        details=dict(details or {}) | _bootstrap_details(evaluation),
    )


def error_sentences(evaluation: Evaluation) -> tuple[str, ...]:
    """The errors in sentences, with how sure they are and how many structures were left out."""
    e = evaluation
    energies = _drawn(e.energy_labels, e.energy_independent)
    forces = _drawn(e.force_labels, e.force_independent)
    stresses = _drawn(e.stress_labels, e.stress_independent)
    sentences = [
        f"Compared: {_counted(e.configurations, 'structure')} with {_counted(e.atoms, 'atom')}.",
        f"Energy{_sure(e.energy_mae_mev_per_atom, e.energy_mae_mev_per_atom_interval_95, 'meV/atom', energies)}",
        f"Force{_sure(e.force_mae_ev_per_angstrom, e.force_mae_ev_per_angstrom_interval_95, 'eV/Å', forces)}",
        f"Stress{_sure(e.stress_mae_gpa, e.stress_mae_gpa_interval_95, 'GPa', stresses)}",
    ]
    if e.left_out:
        sentences.append(f"Left out of all numbers: {_counted(len(e.left_out), 'structure')}; see why below.")
    return tuple(sentences)


def _sure(mae: float | None, interval: Interval | None, unit: str, drawn: str) -> str:
    if mae is None:
        return ": no reference labels."
    sure = (
        f"95 % interval {interval[0]:.3g} to {interval[1]:.3g}, by bootstrap over {drawn}"
        if interval is not None
        else f"from {drawn}: too few for an interval"
    )
    return f" MAE: {mae:.3g} {unit} ({sure})."


def _drawn(labels: int, independent: int) -> str:
    structures = _counted(labels, "structure")
    return structures if independent == labels else f"{_counted(independent, 'group')} of {structures}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _worst(compared: Sequence[Compared]) -> list[Compared]:
    """Those with the largest force error on an atom; without forces, with the largest energy error per atom."""
    with_forces = [(one, error) for one in compared if (error := one.largest_force_error) is not None]
    with_energy = [(one, abs(error) / one.n_atoms) for one in compared if (error := one.energy_error_ev) is not None]
    ranked = sorted(with_forces or with_energy, key=lambda pair: -pair[1])
    return [one for one, _ in ranked[:WORST_SHOWN]]


def _view(one: Compared, name: str) -> StructureView:
    errors, energy, largest = one.force_errors, one.energy_error_ev, one.largest_force_error
    found = [] if energy is None else [f"energy {1000 * energy / one.n_atoms:+.3g} meV/atom"]
    found += [] if largest is None else [f"force up to {largest:.3g} eV/Å"]
    return StructureView(
        name=name,
        title=f"{one.structure.place} ({one.structure.config_type}): {', '.join(found)}",
        atoms=one.structure.atoms,
        values=None if errors is None else np.linalg.norm(errors, axis=1),
        value_label="" if errors is None else "force error (eV/Å)",
    )


def _bootstrap_details(evaluation: Evaluation) -> dict[str, str]:
    return {
        "intervals": f"percentiles of {evaluation.bootstrap_samples} bootstrap samples of the structures "
        f"(of whole groups, where structures have one), seed {evaluation.bootstrap_seed}"
    }
