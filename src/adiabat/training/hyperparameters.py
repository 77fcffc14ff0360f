"""The search for noise levels and prior that predict best what was left out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

import numpy as np
from pydantic import Field

from adiabat.config import Config
from adiabat.errors import DataError
from adiabat.runs import track
from adiabat.training.examples import ONE_LEVEL, Example, NoiseFactors
from adiabat.training.leave_one_out import LeftOut, leave_one_structure_out
from adiabat.training.normal_equations import NormalEquations
from adiabat.training.prior import PackingPrior
from adiabat.training.regression import Solution, anchor, solve


class SearchConfig(Config):
    """How noise levels and prior are chosen.

    Attributes:
        structures: How many structures, spread over the data, the leave-one-structure-out errors are taken over.
        seed: Of the choice of these structures.
        noise_per_config_type: Whether noise levels may differ between config_types. They do where left-out structures are
            predicted better so. Memory and checkpoint grow with the number of config_types.
    """

    structures: int = Field(default=100, ge=10)
    seed: int = Field(default=0, ge=0)
    noise_per_config_type: bool = False


@dataclass(frozen=True)
class Hyperparameters:
    """What the data do not fix by themselves.

    Attributes:
        noise: Standard deviation of a row by kind of label: eV per atom, eV/Å, eV/Å³.
        strength: Of the prior, relative to the data.
        factors: On the noise, by config_type.
    """

    noise: Mapping[str, float]
    strength: float
    factors: NoiseFactors = field(default_factory=dict)


Point = tuple[int, ...]
"""Steps from the start: of each noise but the anchor's, of the strength."""


@dataclass(frozen=True)
class Candidate:
    """Hyperparameters, from which point of the lattice they are, the fit that they give and its left-out errors."""

    point: Point
    parameters: Hyperparameters
    solution: Solution
    left_out: LeftOut


# What a per cent of error is worth. Stress counts less: energies and forces are what simulations run on.
IMPORTANCE = {"energy": 1.0, "forces": 1.0, "stress": 0.3}
# Where the search starts: noise as a fraction of the spread of the labels, strength of the prior.
START_FRACTIONS = {"energy": 0.01, "forces": 0.1, "stress": 0.1}
START_STRENGTH = 1e-5
# A step along a coordinate, and of how many steps each pass takes at once.
NOISE_STEP, STRENGTH_STEP = 3**0.5, 10**0.5
PASSES = (2, 1)
STRENGTH_STEPS = 14
"""Above the start, at most; below it a prior says where it ends."""
IMPROVEMENT = 1e-3
FITS = 100
"""At most; a search of three coordinates takes about forty."""
SMALLEST_ERROR = 1e-14
"""eV per atom, eV/Å, eV/Å³: below rounding, so that labels that are met exactly have a score."""


def score_of(left_out: LeftOut) -> float:
    """Weighted sum of the logarithms of the mean absolute errors: scale-free, a per cent of one is a per cent of another."""
    errors = {kind: left_out.mean_absolute(kind) for kind in left_out.residuals}
    return sum(IMPORTANCE[kind] * float(np.log(max(error, SMALLEST_ERROR))) for kind, error in errors.items())


def search(
    equations: NormalEquations,
    examples: Sequence[Example],
    prior: PackingPrior,
    *,
    factors: NoiseFactors = ONE_LEVEL,
    start: Point | None = None,
    quiet: bool = False,
) -> Candidate:
    """The candidate that predicts left-out structures best, by coordinate descent on a lattice of steps.

    Only ratios of noise levels matter to the fit; in the end all are scaled so that the left-out residuals have the
    variance that the noise says.

    Args:
        equations: Of all structures.
        examples: Some of them, whose errors count.
        prior: What strength is of.
        factors: On the noise, by config_type.
        start: Where a search with other factors ended: from there on only the last pass is made.
        quiet: Show no progress.

    Raises:
        DataError: No start has a positive definite precision.
    """
    budget = iter(track(range(FITS), "choosing noise and prior", quiet=quiet))
    trials = _Trials(equations, examples, prior, factors, budget)
    best = _first_possible(trials) if start is None or np.isinf(trials.score(start)) else start
    for stride in PASSES if start is None else PASSES[-1:]:
        best = _descend(trials, best, stride)
    return _with_absolute_noise(trials, best)


def refit(equations: NormalEquations, examples: Sequence[Example], prior: PackingPrior, before: Candidate) -> Candidate:
    """The fit with another prior of the same strength, and the same ratios of noise levels.

    Raises:
        numpy.linalg.LinAlgError: The precision is not positive definite to rounding.
    """
    return _with_absolute_noise(_Trials(equations, examples, prior, before.parameters.factors, iter(())), before.point)


@dataclass
class _Trials:
    """Fits that were tried, none of them twice."""

    equations: NormalEquations
    examples: Sequence[Example]
    prior: PackingPrior
    factors: NoiseFactors
    budget: Iterator[int]
    scores: dict[Point, float] = field(default_factory=dict)

    @property
    def free(self) -> list[str]:
        """Kinds of label whose noise is a coordinate: all but the anchor, by which the others are told."""
        return [kind for kind in self.equations.present if kind != anchor(self.equations)]

    def parameters(self, point: Point) -> Hyperparameters:
        """Of a point of the lattice."""
        steps = dict(zip(self.free, point[:-1], strict=True))
        noise = {
            kind: START_FRACTIONS[kind] * self.equations.kinds[kind].spread * NOISE_STEP ** steps.get(kind, 0)
            for kind in self.equations.present
        }
        return Hyperparameters(noise, START_STRENGTH * STRENGTH_STEP ** point[-1], self.factors)

    def candidate(self, point: Point) -> Candidate:
        """The fit at a point."""
        parameters = self.parameters(point)
        noise, precision = parameters.noise, self.prior.precision(parameters.strength)
        solution = solve(self.equations, noise, precision, self.factors)
        left_out = leave_one_structure_out(self.examples, solution, noise, self.factors)
        return Candidate(point, parameters, solution, left_out)

    def score(self, point: Point) -> float:
        """Infinite where there is no fit, or no room for another one."""
        if point not in self.scores:
            self.scores[point] = self._score(point)
        return self.scores[point]

    def _score(self, point: Point) -> float:
        if not self._allowed(point[-1]) or next(self.budget, None) is None:
            return np.inf
        try:
            score = score_of(self.candidate(point).left_out)
        except np.linalg.LinAlgError:  # too weak a prior for rounding
            return np.inf
        return score if np.isfinite(score) else np.inf

    def _allowed(self, step: int) -> bool:
        """Whether strengths go so far."""
        return step <= STRENGTH_STEPS and START_STRENGTH * STRENGTH_STEP**step > 0.99 * self.prior.weakest


def _first_possible(trials: _Trials) -> Point:
    for strength in range(0, STRENGTH_STEPS + 1, 4):
        point = (*(0 for _ in trials.free), strength)
        if np.isfinite(trials.score(point)):
            return point
    raise DataError(
        "no prior makes the normal equations solvable",
        place="training",
        rule="the labels are finite and the structures differ",
        mend="run `adiabat check` on the data",
    )


def _descend(trials: _Trials, best: Point, stride: int) -> Point:
    """Follow each coordinate downhill in turn until none improves."""
    improved = True
    while improved:
        improved = False
        for coordinate, step in product(range(len(best)), (-stride, stride)):
            while trials.score(moved := _moved(best, coordinate, step)) < trials.score(best) - IMPROVEMENT:
                best, improved = moved, True
    return best


def _moved(point: Point, coordinate: int, step: int) -> Point:
    return (*point[:coordinate], point[coordinate] + step, *point[coordinate + 1 :])


def _with_absolute_noise(trials: _Trials, best: Point) -> Candidate:
    """The same fit, its noise levels scaled to the left-out residuals."""
    found = trials.candidate(best)
    left_out = found.left_out
    scaled = [left_out.residuals[kind] / left_out.noise[kind] for kind in left_out.residuals]
    factor = float(np.sqrt(np.mean(np.square(np.concatenate(scaled))))) or 1.0  # zero where all is met exactly
    return Candidate(
        point=best,
        parameters=replace(found.parameters, noise={k: factor * std for k, std in found.parameters.noise.items()}),
        solution=replace(found.solution, covariance=found.solution.covariance.times(factor**2)),
        left_out=replace(left_out, noise={kind: factor * std for kind, std in left_out.noise.items()}),
    )
