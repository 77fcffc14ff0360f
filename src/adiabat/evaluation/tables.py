"""The tables of an evaluation, as data."""

from collections.abc import Sequence

from adiabat.evaluation.compare import Compared
from adiabat.evaluation.evaluate import Evaluation
from adiabat.evaluation.summary import ErrorSummary
from adiabat.results import Table

Row = tuple[str | float | int | None, ...]


def error_table(evaluation: Evaluation) -> Table:
    """Errors of all structures, and of each kind where there are several."""
    rows = [_row("all", evaluation)]
    if len(evaluation.by_config_type) > 1:
        rows += [_row(name, summary) for name, summary in evaluation.by_config_type.items()]
    return Table(
        name="errors",
        title="Errors",
        columns=(
            "config_type",
            "structures",
            "energy MAE (meV/atom)",
            "energy RMSE (meV/atom)",
            "force MAE (eV/Å)",
            "force RMSE (eV/Å)",
            "stress MAE (GPa)",
            "stress RMSE (GPa)",
        ),
        rows=tuple(rows),
    )


def worst_table(worst: Sequence[Compared]) -> Table:
    """What is wrong with each of some structures."""
    return Table(
        name="worst",
        title="Largest errors",
        columns=("structure", "config_type", "formula", "energy error (meV/atom)", "largest force error (eV/Å)"),
        rows=tuple(
            (
                one.structure.place,
                one.structure.config_type,
                one.structure.atoms.get_chemical_formula(),
                None if one.energy_error_ev is None else 1000 * one.energy_error_ev / one.n_atoms,
                one.largest_force_error,
            )
            for one in worst
        ),
    )


def left_out_table(evaluation: Evaluation) -> Table:
    """The structures that could not be compared, and why."""
    return Table(
        name="left-out",
        title="Left out",
        columns=("structure", "config_type", "reason"),
        rows=tuple((one.place, one.config_type, one.reason) for one in evaluation.left_out),
    )


def _row(name: str, errors: ErrorSummary) -> Row:
    return (
        name,
        errors.configurations,
        errors.energy_mae_mev_per_atom,
        errors.energy_rmse_mev_per_atom,
        errors.force_mae_ev_per_angstrom,
        errors.force_rmse_ev_per_angstrom,
        errors.stress_mae_gpa,
        errors.stress_rmse_gpa,
    )
