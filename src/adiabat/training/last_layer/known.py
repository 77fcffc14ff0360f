"""What a trained network knows of itself, to be attached to its potential: how sure it is, and where it was trained."""

from collections.abc import Sequence
from itertools import chain

import numpy as np

from adiabat.potential import Potential
from adiabat.potential.linear_terms import LinearTerms
from adiabat.runs import track
from adiabat.system import FeatureModel, Labelled, Storable
from adiabat.training.extrapolation import environments, fit_extrapolation
from adiabat.training.fitting import Problem
from adiabat.training.gradient.targets import rest_of
from adiabat.training.groups import CalibrationConfig, drawn_groups, structures_together
from adiabat.training.last_layer.learned import Learned
from adiabat.training.last_layer.posterior import likeliest, noise_of, precision
from adiabat.training.last_layer.rows import RowSource
from adiabat.training.last_layer.spread import Trained, measured_spread
from adiabat.training.made_spread import LEAST_GROUPS
from adiabat.training.projection import fit_projection
from adiabat.uncertainty import FeatureStatistics, LinearPosterior, LinearUncertainty


def what_a_network_knows(learned: Learned, problem: Problem) -> tuple[dict[str, Storable], tuple[str, ...]]:
    """Posterior, spread and its projection, statistics of the descriptors, detector of extrapolation, by name; notes on what is missing.

    Args:
        learned: What was learned, from what.
        problem: Its configuration, and packings for the prior.
    """
    found, notes = _descriptors(learned, problem)
    groups = structures_together([target.structure for target in learned.validation], quiet=problem.quiet)
    if len(groups) < LEAST_GROUPS:
        said = (
            f"no error bars: the structures that were not trained on fall into {len(groups)} group(s) of structures that belong "
            f"together, and a calibration takes {LEAST_GROUPS}; more data, or a larger gradient.validation_fraction, give them"
        )
        return found, (*notes, said)
    try:
        return found | _error_bars(learned, problem, groups), notes
    except np.linalg.LinAlgError as error:
        return found, (*notes, f"no error bars: {error}")


def _error_bars(learned: Learned, problem: Problem, groups: list[list[int]]) -> dict[str, Storable]:
    network, quiet = Potential(learned.parts[-1:]), problem.quiet
    model = LinearTerms.of(learned.parts)
    if model is None:
        raise TypeError("what was learned is linear in nothing")
    together = structures_together([target.structure for target in learned.training], quiet=quiet)
    drawn = _drawn(together, learned, problem.config.calibration)
    training = RowSource(model, rest_of([learned.training[i] for i in chain(*drawn)], network, quiet=quiet))
    validation = RowSource(model, rest_of(learned.validation, network, quiet=quiet))
    noise = noise_of(training.targets) | noise_of(validation.targets)
    share = len(training.targets) / len(learned.training)
    known = precision(training, noise, share, problem.prepared.packings, quiet=quiet)
    _, covariance = likeliest(known, validation, quiet=quiet)
    trained = Trained(training, _renumbered(drawn), len(together), covariance, noise)
    spread = measured_spread(trained, validation, groups, quiet=quiet)
    posterior = LinearPosterior(model.coefficients, covariance, noise)
    found: dict[str, Storable] = {"posterior": posterior, "spread": spread}
    if "energy" in spread.calibration.scale:
        structures = [target.structure for target in training.targets]
        found["projection"] = fit_projection(model, LinearUncertainty(posterior, spread), structures, quiet=quiet)
    return found


def _drawn(together: list[list[int]], learned: Learned, config: CalibrationConfig) -> list[list[int]]:
    """Groups of the training by which a posterior is made: as many as are configured, and as its cost allows."""
    drawn = drawn_groups(together, config)
    if learned.most_atoms is None:
        return drawn
    order = np.random.default_rng(config.seed).permutation(len(drawn)).tolist()
    sizes = np.cumsum([sum(learned.training[index].atoms for index in drawn[place]) for place in order])
    kept = order[: max(LEAST_GROUPS, int(np.searchsorted(sizes, learned.most_atoms)) + 1)]
    return [drawn[place] for place in sorted(kept)]


def _renumbered(groups: Sequence[Sequence[int]]) -> list[range]:
    """Places of their members, one after the other."""
    stops = np.cumsum([len(group) for group in groups]).tolist()
    return [range(stop - len(group), stop) for group, stop in zip(groups, stops, strict=True)]


def _descriptors(learned: Learned, problem: Problem) -> tuple[dict[str, Storable], tuple[str, ...]]:
    """Statistics of what the network's last layer sees, and the detector of extrapolation by them."""
    network = learned.parts[-1]
    if not isinstance(network, FeatureModel):
        raise TypeError("a network has features")
    structures: list[Labelled] = [target.structure for target in (*learned.training, *learned.validation)]
    groups = drawn_groups(structures_together(structures, quiet=problem.quiet), problem.config.calibration)
    chosen = [[structures[index] for index in group] for group in groups]
    flat = track(list(chain(*chosen)), "what the network sees", quiet=problem.quiet)
    statistics = FeatureStatistics.of_structures([environments(network, one) for one in flat], network.species)
    detector, note = fit_extrapolation(network, statistics, chosen, quiet=problem.quiet)
    found: dict[str, Storable] = {"feature_statistics": statistics}
    return found | ({} if detector is None else {"extrapolation": detector}), (note,) if note else ()
