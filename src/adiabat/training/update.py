"""Update: labels added to a linear potential's solution in seconds; everything that was chosen for it stays chosen."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import torch

from adiabat.data import fingerprint
from adiabat.errors import PropertyUnavailable
from adiabat.models import LinearACE
from adiabat.potential import Potential
from adiabat.potential.linear_terms import LinearTerms
from adiabat.runs import one_thread_each, provenance, track
from adiabat.system import Labelled, Storable, is_exact
from adiabat.training.examples import Example, ExampleMaker
from adiabat.training.extrapolation import environments, fit_extrapolation
from adiabat.training.groups import CalibrationConfig, drawn_groups, structures_together
from adiabat.training.projection import fit_projection
from adiabat.training.stored import stored_configuration
from adiabat.uncertainty import Covariance, FeatureStatistics, LinearPosterior, LinearUncertainty


@one_thread_each()
def update(
    potential: Potential, before: Sequence[Labelled], new: Sequence[Labelled], *, quiet: bool = False
) -> Potential:
    """The potential that has seen further labels too.

    Its posterior is the prior of the new labels (Bayes), so the coefficients are those of a fit to all labels with the same
    basis, noise and prior. The statistics by which structures are told to be far from the training are those of all. The
    calibration of the error bars stays that of the last training; so do the repulsion and what was done about holes.

    Args:
        potential: Linear, from `train` or from here.
        before: What it has seen.
        new: Further structures of its species.
        quiet: Show no progress.

    Raises:
        PropertyUnavailable: It has no posterior, or its noise differs by config_type.
    """
    model, uncertainty = _learned(potential)
    config = stored_configuration(potential).calibration
    baseline = Potential([part for part in potential.parts if is_exact(part)])
    maker, added = ExampleMaker(model, baseline), [s for s in new if _is_fitted(s)]
    examples = [maker(one) for one in track(added, "adding labels", quiet=quiet)]
    posterior = uncertainty.posterior
    if examples:
        posterior = _after(posterior, examples, len(model.species))
    together = [*before, *new]
    fitted = [s for s in together if _is_fitted(s)]
    known = _what_is_known(model, fitted, LinearUncertainty(posterior, uncertainty.spread), config, quiet=quiet)
    return Potential(
        [part if is_exact(part) else model.with_coefficients(posterior.mean) for part in potential.parts],
        attachments={**potential.attachments, **known},
        metadata=_metadata(potential, together),
        canaries=potential.canaries,
    )


def structures_of_last_training(potential: Potential) -> int:
    """How many structures a potential had seen when it was last trained from the beginning."""
    return int(potential.metadata.get("updated", potential.metadata["data"])["structures"])


def _learned(potential: Potential) -> tuple[LinearACE, LinearUncertainty]:
    deviations = potential.linear_deviations
    models = () if deviations is None else deviations.model.models
    by_config_type = "noise_by_config_type" in potential.metadata.get("training", {})
    if deviations is None or by_config_type or len(models) != 1 or not isinstance(models[0], LinearACE):
        raise PropertyUnavailable(
            "labels were to be added to a potential "
            + (
                "whose noise differs by config_type"
                if by_config_type
                else "that is not a linear expansion with a posterior"
            ),
            place="update",
            rule="a posterior of the coefficients with one noise level for each kind of label is updated",
            mend="train it again, with all labels",
        )
    return models[0], deviations.uncertainty


def _is_fitted(structure: Labelled) -> bool:
    return not structure.is_isolated_atom and structure.labels.any


def _after(posterior: LinearPosterior, examples: Sequence[Example], n_species: int) -> LinearPosterior:
    """P' = P + Σ xᵀx / σ² and μ' = μ + P'⁻¹ Σ xᵀ(y - x μ) / σ², in the scale S of the factor: P = S⁻¹ L Lᵀ S⁻¹.

    The factor is that of a QR decomposition of the root and the new rows, one above the others: the sum itself may not be positive definite to
    rounding where labels are few and their noise is small.
    """
    factor, scale = posterior.covariance.factor, posterior.covariance.scale
    rows, misses = [], []
    for example in examples:
        for kind, block in example.blocks.items():
            rows.append(torch.from_numpy(example.all_columns(block.rows, n_species)) / posterior.noise[kind])
            misses.append(torch.from_numpy(block.targets) / posterior.noise[kind] - rows[-1] @ posterior.mean)
    new = torch.cat(rows)
    upper = torch.linalg.qr(torch.cat([factor.T, new * scale]), mode="r").R
    covariance = Covariance((upper * upper.diagonal().sign()[:, None]).T.contiguous(), scale)
    step = covariance.colour(covariance.whiten((torch.cat(misses) @ new)[None]))[0]
    return LinearPosterior(posterior.mean + step, covariance, posterior.noise)


def _what_is_known(
    model: LinearACE,
    fitted: Sequence[Labelled],
    uncertainty: LinearUncertainty,
    config: CalibrationConfig,
    *,
    quiet: bool,
) -> dict[str, Storable]:
    """The attachments that change with the labels."""
    statistics = FeatureStatistics.of_structures([environments(model, one) for one in fitted], model.species)
    groups = drawn_groups(structures_together(fitted, quiet=quiet), config)
    drawn = [[fitted[index] for index in group] for group in groups]
    found: dict[str, Storable] = {"posterior": uncertainty.posterior, "feature_statistics": statistics}
    extrapolation, _ = fit_extrapolation(model, statistics, drawn, quiet=quiet)
    if extrapolation is not None:
        found["extrapolation"] = extrapolation
    if "energy" in uncertainty.spread.calibration.scale:
        terms = LinearTerms((model,))
        found["projection"] = fit_projection(terms, uncertainty, list(chain(*drawn)), quiet=quiet)
    return found


def _metadata(potential: Potential, together: Sequence[Labelled]) -> dict[str, Any]:
    return {
        **potential.metadata,
        "provenance": provenance(),
        "data": {"fingerprint": fingerprint(together), "structures": len(together)},
        "updated": {"structures": structures_of_last_training(potential)},
    }
