"""The search for noise levels and prior that predict best what was left out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from pydantic import Field

from adiabat.config import Config
from adiabat.errors import DataError
from adiabat.training.examples import Example
from adiabat.training.leave_one_out import LeftOut, leave_one_structure_out
from adiabat.training.normal_equations import NormalEquations
from adiabat.training.regression import Hyperparameters, Solution, solve
from adiabat.typing import FloatArray


class SearchConfig(Config):
    """How noise levels and prior are chosen.

    Attributes:
        structures: How many structures, spread over the data, the leave-one-structure-out errors are taken over.
        seed: Of the choice of these structures.
    """

    structures: int = Field(default=100, ge=10)
    seed: int = Field(default=0, ge=0)


@dataclass(frozen=True)
class Candidate:
    """Hyperparameters with the fit that they give and its leave-one-structure-out errors."""

    parameters: Hyperparameters
    solution: Solution
    left_out: LeftOut

    @property
    def score(self) -> float:
        """Weighted sum of the logarithms of the mean absolute errors: scale-free, a per cent of one is a per cent of another."""
        errors = {kind: self.left_out.mean_absolute(kind) for kind in self.left_out.residuals}
        return sum(IMPORTANCE[kind] * float(np.log(max(error, SMALLEST_ERROR))) for kind, error in errors.items())

    @property
    def score_std(self) -> float:
        """Standard error of the score, by the spread of the errors over the structures."""
        variance = 0.0
        for kind in self.left_out.residuals:
            errors = self.left_out.by_structure(kind)
            variance += (IMPORTANCE[kind] * errors.std() / max(errors.mean(), SMALLEST_ERROR)) ** 2 / len(errors)
        return float(np.sqrt(variance))


# What a per cent of error is worth. Stress counts less: energies and forces are what simulations run on.
IMPORTANCE = {"energy": 1.0, "forces": 1.0, "stress": 0.3}
# Where the search starts: noise as a fraction of the spread of the labels, strength and smoothness of the prior.
START_FRACTIONS = {"energy": 0.01, "forces": 0.1, "stress": 0.1}
START_STRENGTH, START_SMOOTHNESS = 1e-8, 1.0
# Its passes, each finer than the one before: a factor on a noise, its cube on the strength, a step of the smoothness.
PASSES = ((3.0, 1.0), (1.6, 0.5))
STRENGTH_BOUNDS = (1e-11, 1e2)
SMOOTHNESS_BOUNDS = (0.0, 6.0)
SIMPLER_STEPS = 10
"""Along a coordinate, at most: where a kind of label says nothing, its weight could sink without end."""
SMALLEST_ERROR = 1e-14
"""eV per atom, eV/Å, eV/Å³: below rounding, so that labels that are met exactly have a score."""

Evaluate = Callable[[Hyperparameters], Candidate | None]


def search(equations: NormalEquations, examples: Sequence[Example], degrees: FloatArray) -> Candidate:
    """The simplest candidate among those that predict left-out structures as well as any.

    Coordinate descent finds the best score. Within one standard error of it, scores say nothing: there the prior is made
    as strong, and the weight of energies and stresses beside forces as light, as they can be (the one-standard-error
    rule: T. Hastie, R. Tibshirani, J. Friedman, The Elements of Statistical Learning, section 7.10.1). The score alone
    trades forces, whose error is known closely, for energies, whose error a few structures decide.

    Only ratios of noise levels matter to the fit; in the end all are scaled so that the left-out residuals have the
    variance that the noise says.

    Args:
        equations: Of all structures.
        examples: Some of them, whose errors count.
        degrees: (columns,) of the functions.

    Raises:
        DataError: No start has a positive definite precision.
    """

    def evaluate(parameters: Hyperparameters) -> Candidate | None:
        try:
            solution = solve(equations, parameters, degrees)
            candidate = Candidate(parameters, solution, leave_one_structure_out(examples, solution, parameters))
        except np.linalg.LinAlgError:  # too weak a prior for rounding
            return None
        return candidate if np.isfinite(candidate.score) else None

    best = _first_possible(evaluate, _start(equations))
    for factor, step in PASSES:
        best = _descend(best, factor, step, evaluate)
    best = _simplify(best, evaluate)
    return _with_absolute_noise(best, equations, examples, degrees)


def _start(equations: NormalEquations) -> Hyperparameters:
    noise = {kind: START_FRACTIONS[kind] * equations.kinds[kind].spread for kind in equations.present}
    return Hyperparameters(noise, START_STRENGTH, START_SMOOTHNESS)


def _first_possible(evaluate: Evaluate, start: Hyperparameters) -> Candidate:
    while start.strength <= STRENGTH_BOUNDS[1]:
        candidate = evaluate(start)
        if candidate is not None:
            return candidate
        start = replace(start, strength=100 * start.strength)
    raise DataError(
        "no prior makes the normal equations solvable",
        place="training",
        rule="the labels are finite and the structures differ",
        mend="run `adiabat check` on the data",
    )


def _descend(best: Candidate, factor: float, step: float, evaluate: Evaluate) -> Candidate:
    """Follow each coordinate downhill in turn until none improves."""
    improved = True
    while improved:
        improved = False
        for move in _moves(best.parameters, factor, step):
            while (candidate := evaluate(move(best.parameters))) is not None and candidate.score < best.score - 1e-3:
                best, improved = candidate, True
    return best


def _simplify(best: Candidate, evaluate: Evaluate) -> Candidate:
    """Lighter energies and stresses and a stronger prior, a step of each in turn, while the score stays within its error."""
    limit = best.score + best.score_std
    factor = PASSES[-1][0]
    kinds = [kind for kind in best.parameters.noise if kind != _anchor(best.parameters)]
    moves: list[Callable[[Hyperparameters], Hyperparameters]] = [
        *(lambda p, kind=kind: _scaled_noise(p, kind, factor) for kind in kinds),
        lambda p: _scaled_strength(p, factor**3),
    ]
    for _ in range(SIMPLER_STEPS):
        for move in tuple(moves):
            candidate = evaluate(move(best.parameters))
            if candidate is None or candidate.score > limit:
                moves.remove(move)
            else:
                best = candidate
    return best


def _anchor(parameters: Hyperparameters) -> str:
    """The kind of label whose noise the others are told by."""
    return "forces" if "forces" in parameters.noise else next(iter(parameters.noise))


def _moves(
    parameters: Hyperparameters, factor: float, step: float
) -> list[Callable[[Hyperparameters], Hyperparameters]]:
    """Up and down along each coordinate: the noise of each kind but the anchor's, the strength, the smoothness."""
    moves: list[Callable[[Hyperparameters], Hyperparameters]] = []
    anchor = _anchor(parameters)
    for up in (False, True):
        for kind in parameters.noise:
            if kind != anchor:
                moves.append(lambda p, kind=kind, by=factor if up else 1 / factor: _scaled_noise(p, kind, by))
        moves.append(lambda p, by=factor**3 if up else factor**-3: _scaled_strength(p, by))
        moves.append(lambda p, by=step if up else -step: _shifted_smoothness(p, by))
    return moves


def _scaled_noise(parameters: Hyperparameters, kind: str, by: float) -> Hyperparameters:
    return replace(parameters, noise={**parameters.noise, kind: parameters.noise[kind] * by})


def _scaled_strength(parameters: Hyperparameters, by: float) -> Hyperparameters:
    return replace(parameters, strength=float(np.clip(parameters.strength * by, *STRENGTH_BOUNDS)))


def _shifted_smoothness(parameters: Hyperparameters, by: float) -> Hyperparameters:
    return replace(parameters, smoothness=float(np.clip(parameters.smoothness + by, *SMOOTHNESS_BOUNDS)))


def _with_absolute_noise(
    best: Candidate, equations: NormalEquations, examples: Sequence[Example], degrees: FloatArray
) -> Candidate:
    """The same fit, its noise levels scaled to the left-out residuals."""
    noise = best.parameters.noise
    scaled = [residuals / noise[kind] for kind, residuals in best.left_out.residuals.items()]
    factor = float(np.sqrt(np.mean(np.square(np.concatenate(scaled))))) or 1.0  # zero where all is met exactly
    parameters = replace(best.parameters, noise={kind: factor * value for kind, value in noise.items()})
    solution = solve(equations, parameters, degrees)
    return Candidate(parameters, solution, leave_one_structure_out(examples, solution, parameters))
