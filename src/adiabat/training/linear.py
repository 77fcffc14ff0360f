"""The linear way: least squares with a prior, its hyperparameters, its holes mended, its error bars."""

from dataclasses import dataclass
from typing import Any

from adiabat.training.accumulate import accumulate
from adiabat.training.attachments import what_is_known
from adiabat.training.config_type_noise import levels_by_config_type, search_by_config_type
from adiabat.training.fitting import Fitted, Problem
from adiabat.training.hyperparameters import Candidate, Hyperparameters, search
from adiabat.training.mending import without_holes
from adiabat.training.normal_equations import NormalEquations
from adiabat.training.prior import packing_prior


@dataclass(frozen=True)
class LinearSolution:
    """A linear fit before its error bars.

    Attributes:
        equations: The sums over all data.
        best: The fit.
        notes: What the user should know.
    """

    equations: NormalEquations
    best: Candidate
    notes: tuple[str, ...]


def fit_linear(problem: Problem) -> Fitted:
    """A linear atomic cluster expansion by Bayesian linear regression, with posterior and spread."""
    solution = solve_linear(problem)
    equations, best = solution.equations, solution.best
    attachments, said = what_is_known(
        problem.prepared, equations, best, problem.config.calibration, quiet=problem.quiet
    )
    learned = problem.prepared.fitted_model(best.solution.mean)
    notes = (*_unread(problem), *solution.notes, *said)
    return Fitted((learned,), linear_summary(problem, solution), notes, attachments)


def _unread(problem: Problem) -> tuple[str, ...]:
    """That second derivatives are not learned here."""
    having = sum(structure.labels.hessian is not None for structure in problem.prepared.fitted)
    if not having:
        return ()
    return (
        f"second derivatives of {having} structures are not fitted to: models that are trained by gradients learn them",
    )


def solve_linear(problem: Problem) -> LinearSolution:
    """The coefficients, with hyperparameters by left-out errors, and without holes where a repulsion is there."""
    prepared, config, quiet = problem.prepared, problem.config, problem.quiet
    notes: tuple[str, ...] = ()
    equations, examples = accumulate(prepared, config.search, before=problem.before, saved=problem.saved, quiet=quiet)
    prior = packing_prior(prepared.model, prepared.packings, molecules=prepared.molecules, quiet=quiet)
    if config.search.noise_per_config_type:
        best, note = search_by_config_type(equations, examples, prior, quiet=quiet)
        notes = (note,)
    else:
        best = search(equations, examples, prior, quiet=quiet)
    if config.repulsion.enabled:
        packings = config.repulsion.packings
        best, said = without_holes(prepared, equations, examples, prior, best, packings=packings, quiet=quiet)
        notes = (*notes, *said)
    return LinearSolution(equations, best, notes)


def linear_summary(problem: Problem, solution: LinearSolution) -> dict[str, Any]:
    """What `adiabat info` says of the training."""
    equations, best = solution.equations, solution.best
    kinds = list(best.left_out.residuals)
    return {
        "functions": problem.prepared.model.basis.n_functions,
        "coefficients": equations.columns,
        "rows": {kind: equations.kinds[kind].count for kind in equations.present},
        **_levels(best.parameters),
        "prior_strength": best.parameters.strength,
        "left_out_mae": {kind: best.left_out.mean_absolute(kind) for kind in kinds},
        "left_out_rmse": {kind: best.left_out.root_mean_square(kind) for kind in kinds},
        "units": {"energy": "eV/atom", "forces": "eV/Å", "stress": "eV/Å³"},
    }


def _levels(parameters: Hyperparameters) -> dict[str, Any]:
    """Noise by kind of label, and by config_type where the fit was made with that."""
    levels: dict[str, Any] = {"noise": {kind: float(value) for kind, value in parameters.noise.items()}}
    if parameters.factors:
        levels["noise_by_config_type"] = levels_by_config_type(parameters)
    return levels
