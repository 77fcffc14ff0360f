"""What a fit knows of itself, to be attached to its potential: how sure it is, and where it was trained."""

from itertools import chain

import torch

from adiabat.models import LinearACE
from adiabat.potential.linear_terms import LinearTerms
from adiabat.system import Storable
from adiabat.training.calibrate import measure_spread
from adiabat.training.extrapolation import fit_extrapolation
from adiabat.training.groups import CalibrationConfig, drawn_groups, structures_together
from adiabat.training.hyperparameters import Candidate
from adiabat.training.normal_equations import NormalEquations
from adiabat.training.prepare import Preparation
from adiabat.training.projection import fit_projection
from adiabat.training.regression import anchor
from adiabat.uncertainty import FeatureStatistics, LinearPosterior, LinearUncertainty


def what_is_known(
    prepared: Preparation,
    equations: NormalEquations,
    best: Candidate,
    config: CalibrationConfig,
    *,
    quiet: bool = False,
) -> tuple[dict[str, Storable], tuple[str, ...]]:
    """Posterior, spread and its projection, statistics of the features, detector of extrapolation, by name; notes on what is missing.

    Args:
        prepared: What was fitted, and how.
        equations: The sums over all data.
        best: The fit.
        config: By how many structures error bars are calibrated.
        quiet: Show no progress.
    """
    covariance, noise = best.solution.covariance, dict(best.parameters.noise)
    statistics = _statistics(prepared.model, equations)
    posterior = LinearPosterior(torch.from_numpy(best.solution.mean), covariance, noise)
    found: dict[str, Storable] = {"posterior": posterior, "feature_statistics": statistics}
    together = structures_together(prepared.fitted, quiet=quiet)
    drawn = drawn_groups(together, config)
    spread, note = measure_spread(prepared, best, anchor(equations), drawn, independent=len(together), quiet=quiet)
    structures = [[prepared.fitted[index] for index in group] for group in drawn]
    extrapolation, other_note = fit_extrapolation(prepared.model, statistics, structures, quiet=quiet)
    if spread is not None and "energy" in spread.calibration.scale:
        model, uncertainty = LinearTerms((prepared.model,)), LinearUncertainty(posterior, spread)
        found["projection"] = fit_projection(model, uncertainty, list(chain(*structures)), quiet=quiet)
    found |= {name: part for name, part in (("spread", spread), ("extrapolation", extrapolation)) if part is not None}
    return found, tuple(said for said in (note, other_note) if said)


def _statistics(model: LinearACE, equations: NormalEquations) -> FeatureStatistics:
    count = torch.from_numpy(equations.atoms)
    mean = torch.from_numpy(equations.feature_mean)
    scatter = torch.stack([equations.feature_scatter.of_species(place) for place in range(len(count))])
    return FeatureStatistics(model.species, count, mean, scatter / count.clamp(min=1)[:, None, None])
