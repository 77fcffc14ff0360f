"""Errors on a whole kind of structures that the fit has never seen: how it extrapolates."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor

from adiabat.runs import side_by_side, track
from adiabat.system import Labelled
from adiabat.training.accumulate import parts
from adiabat.training.examples import Example, ExampleMaker
from adiabat.training.hyperparameters import Candidate
from adiabat.training.normal_equations import NormalEquations
from adiabat.training.prepare import Preparation
from adiabat.training.regression import Solution
from adiabat.typing import FloatArray
from adiabat.uncertainty.cholesky import factorize


def leave_config_types_out(
    prepared: Preparation, best: Candidate, *, quiet: bool = False
) -> dict[str, dict[str, float | int]]:
    """Root mean square errors on each config_type by the fit to all others, with the same noise levels and prior.

    Nothing is calibrated by them: they say how far off the fit may be on structures of another kind than any it knows.

    Args:
        prepared: What was fitted, and how.
        best: The fit.
        quiet: Show no progress.

    Returns:
        By config_type the number of structures, and by kind of label the error: eV per atom, eV/Å, eV/Å³. Empty where there is
        one config_type alone; without errors where the others do not fix the coefficients.
    """
    by_type: dict[str, list[Labelled]] = {}
    for structure in prepared.fitted:
        by_type.setdefault(structure.config_type, []).append(structure)
    if len(by_type) < 2:
        return {}
    precision = _precision(best.solution)
    right = precision @ torch.from_numpy(best.solution.mean)
    found: dict[str, dict[str, float | int]] = {}
    for name, own in track(sorted(by_type.items()), "leaving config_types out", quiet=quiet):
        errors = _errors(prepared, own, best, precision, right)
        found[name] = {"structures": len(own), **errors}
    return found


def _precision(solution: Solution) -> Tensor:
    """(columns, columns) S⁻¹ L Lᵀ S⁻¹."""
    lower = solution.covariance.factor / solution.covariance.scale[:, None]
    return lower @ lower.T


def _errors(
    prepared: Preparation, own: Sequence[Labelled], best: Candidate, precision: Tensor, right: Tensor
) -> dict[str, float]:
    equations = NormalEquations(len(prepared.model.species), prepared.model.basis.n_functions)
    for examples in _examples(prepared, own):
        equations.add(examples)
    levels, factors = best.parameters.noise, best.parameters.factors
    noise = {kind: factors.get((kind, own[0].config_type), 1.0) * level for kind, level in levels.items()}
    try:
        mean = _mean_without(equations, noise, precision, right)
    except np.linalg.LinAlgError:
        return {}
    squares: dict[str, list[FloatArray]] = {}
    for example in (example for examples in _examples(prepared, own) for example in examples):
        coefficients = mean.reshape(len(prepared.model.species), -1)[list(example.present)].flatten()
        for kind, block in example.blocks.items():
            squares.setdefault(kind, []).append(np.square(block.targets - block.rows @ coefficients.numpy()))
    return {kind: float(np.sqrt(np.concatenate(of_kind).mean())) for kind, of_kind in sorted(squares.items())}


def _examples(prepared: Preparation, own: Sequence[Labelled]) -> Iterator[list[Example]]:
    """Made, summed and forgotten, some at once."""
    make = ExampleMaker(prepared.model, prepared.baseline)
    columns = len(prepared.model.species) * prepared.model.basis.n_functions
    for part in parts(own, columns=columns):
        yield side_by_side([partial(make, own[index]) for index in part])


def _mean_without(equations: NormalEquations, noise: Mapping[str, float], precision: Tensor, right: Tensor) -> Tensor:
    """(columns,) of the fit whose precision and right side these sums are taken off."""
    rest, moment = precision.clone(), torch.zeros(equations.shape, dtype=torch.float64)
    for kind in equations.present:
        weight, sums = noise[kind] ** -2, equations.kinds[kind]
        moment += weight * sums.moment
        for rows, columns, block in sums.gram.lower():
            rest[rows, columns].sub_(block, alpha=weight)
    scale = 1 / rest.diagonal().sqrt()
    rest *= scale[:, None] * scale
    factorize(rest)
    return scale * torch.cholesky_solve((scale * (right - moment.flatten()))[:, None], rest)[:, 0]
