"""Noise levels by config_type: rows of a kind of structure that is harder to predict weigh less."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from adiabat.errors import ConfigurationError
from adiabat.system import Labelled
from adiabat.training.examples import Example, NoiseFactors
from adiabat.training.hyperparameters import SMALLEST_ERROR, Candidate, Hyperparameters, score_of, search
from adiabat.training.leave_one_out import LeftOut
from adiabat.training.normal_equations import NormalEquations
from adiabat.training.prior import PackingPrior

LARGEST_FACTOR = 10.0
"""Of a config_type's noise on that of its kind of label; one over it is the smallest."""
HALF_WAY = 3
"""Judged structures that take a config_type half of the way (of logarithms) from the common level to its own."""
WORTH_IT = 0.01
"""Of the score, a per cent of the errors of one kind of label: as much may come by chance where nothing differs."""
SETTLED = 0.05
"""Change of (the logarithm of) a level from one round to the next that is not worth another fit."""


def require_several_config_types(structures: Sequence[Labelled]) -> None:
    """Refuse levels by config_type where there is one alone.

    Raises:
        ConfigurationError: Naming it.
    """
    config_types = sorted({structure.config_type for structure in structures})
    if len(config_types) == 1:
        raise ConfigurationError(
            f"would have no effect: all {len(structures)} structures to fit are of the config_type '{config_types[0]}'",
            place="search.noise_per_config_type",
            rule="an option has an effect",
            mend="leave it out, or name kinds of structures by config_type in the data",
        )


def search_by_config_type(
    equations: NormalEquations, examples: Sequence[Example], prior: PackingPrior, *, quiet: bool = False
) -> tuple[Candidate, str]:
    """As `search`, then with the noise of each config_type by its left-out residuals, where that predicts better.

    What a linear model cannot follow is not noise: a fit that gives way where it shows may lose more there than it gains
    elsewhere. So levels half of the way to the residuals' are tried as well, and any are kept only where the same score of the
    same structures says that they predict better.

    Args:
        equations: Of all structures, kept by config_type.
        examples: Some of them, whose errors count: a few of each config_type.
        prior: What strength is of.
        quiet: Show no progress.

    Returns:
        The candidate, and what to say of it.
    """

    def with_factors(factors: NoiseFactors) -> Candidate:
        return search(equations, examples, prior, factors=factors, start=common.point, quiet=quiet)

    common = search(equations, examples, prior, quiet=quiet)
    own = noise_factors(equations, examples, common.left_out)
    tried = [with_factors(own), with_factors(noise_factors(equations, examples, common.left_out, share=0.5))]
    again = noise_factors(equations, examples, tried[0].left_out)
    if _change(own, again) > SETTLED:
        tried.append(with_factors(again))
    best = min(tried, key=lambda candidate: score_of(candidate.left_out))
    if score_of(best.left_out) > score_of(common.left_out) - WORTH_IT:
        said = "noise levels per config_type do not predict left-out structures better: one level for all is kept"
        return common, said
    return best, f"noise levels per config_type are kept: errors on left-out structures change, {_gain(common, best)}"


def noise_factors(
    equations: NormalEquations, examples: Sequence[Example], left_out: LeftOut, *, share: float = 1.0
) -> NoiseFactors:
    """Root mean square residual of each config_type relative to that of all, drawn to one where few structures tell.

    For each kind of label their root mean square over all rows of the data is one, so that the noise of the kind stays
    what it is: that of a row of the data.

    Args:
        equations: Of all structures, kept by config_type.
        examples: Those that were left out.
        left_out: Their residuals.
        share: Of the way (of logarithms) from one level to those of the residuals.
    """
    factors: dict[tuple[str, str], float] = {}
    for kind in equations.present:
        rows = {config_type: sums.count for config_type, sums in equations.by_config_type(kind)}
        ratios = _ratios(_judged(examples, left_out, kind), rows, share)
        squares = [ratios[config_type] ** 2 for config_type in rows]
        scale = float(np.sqrt(np.average(squares, weights=list(rows.values()))))
        factors |= {(kind, config_type): ratio / scale for config_type, ratio in ratios.items()}
    return factors


def levels_by_config_type(parameters: Hyperparameters) -> dict[str, dict[str, float]]:
    """Standard deviation of a row by config_type and kind of label: eV per atom, eV/Å, eV/Å³."""
    levels: dict[str, dict[str, float]] = {}
    for (kind, config_type), factor in sorted(parameters.factors.items()):
        levels.setdefault(config_type, {})[kind] = float(factor * parameters.noise[kind])
    return dict(sorted(levels.items()))


@dataclass(frozen=True)
class _Judged:
    """Left-out residuals of one kind of label in one config_type."""

    mean_square: float
    structures: int


def _judged(examples: Sequence[Example], left_out: LeftOut, kind: str) -> dict[str, _Judged]:
    """By config_type, of those that have judged structures with this kind of label."""
    if kind not in left_out.residuals:
        return {}
    square, structure = np.square(left_out.residuals[kind]), left_out.structure[kind]
    types = np.array([example.config_type for example in examples])[structure]
    return {
        str(name): _Judged(float(square[types == name].mean()), len(np.unique(structure[types == name])))
        for name in np.unique(types)
    }


def _ratios(judged: Mapping[str, _Judged], rows: Mapping[str, int], share: float) -> dict[str, float]:
    """By config_type, root mean square residuals relative to that of all rows; one where nothing was judged."""
    weights = [rows[name] for name in judged]
    common = float(np.average([one.mean_square for one in judged.values()], weights=weights)) if judged else 0.0
    ratios = dict.fromkeys(rows, 1.0)
    for name, one in judged.items():
        if common > 0:
            known = one.structures / (one.structures + HALF_WAY)
            ratios[name] = float(np.sqrt(one.mean_square / common)) ** (known * share)
    return {name: float(np.clip(ratio, 1 / LARGEST_FACTOR, LARGEST_FACTOR)) for name, ratio in ratios.items()}


def _change(before: NoiseFactors, after: NoiseFactors) -> float:
    """The largest, of a logarithm."""
    return max(abs(float(np.log(factor / before[key]))) for key, factor in after.items())


def _gain(before: Candidate, after: Candidate) -> str:
    errors = {
        kind: [max(c.left_out.mean_absolute(kind), SMALLEST_ERROR) for c in (before, after)]
        for kind in before.left_out.residuals
    }
    return ", ".join(f"{kind} by {100 * (new / old - 1):+.0f} %" for kind, (old, new) in errors.items())
