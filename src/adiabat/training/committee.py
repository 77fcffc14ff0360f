"""How sure a committee is: the spread of its members, calibrated by structures that none of them was trained on."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np
import torch

from adiabat.potential import Potential
from adiabat.potential.committee import SPREAD
from adiabat.system import EnergyModel, Storable
from adiabat.training.examples import KINDS, VOIGT
from adiabat.training.gradient.targets import Target
from adiabat.training.groups import structures_together
from adiabat.training.made_spread import LEAST_GROUPS, Unseen, judged_by
from adiabat.typing import FloatArray
from adiabat.uncertainty import CommitteeSpread

ByKind = dict[str, FloatArray]


def what_a_committee_knows(
    models: Sequence[EnergyModel], validation: Sequence[Target], *, quiet: bool
) -> tuple[dict[str, Storable], dict[str, Any], tuple[str, ...]]:
    """The calibration of its spread by name, its errors on the validation, and notes on what is missing.

    Args:
        models: The members.
        validation: Structures that none of them was trained on, and what was to be learned of their labels.
        quiet: Show no progress.
    """
    groups = structures_together([target.structure for target in validation], quiet=quiet)
    targets = [[validation[index] for index in group] for group in groups]
    found = [_judged(models, group) for group in targets]
    residuals, variances = [one for one, _ in found], [one for _, one in found]
    errors = _errors(residuals)
    if len(groups) < LEAST_GROUPS:
        note = (
            f"the spread of the members is not calibrated: the structures that were not trained on fall into {len(groups)} group(s) "
            f"of structures that belong together, and that takes {LEAST_GROUPS}"
        )
        return {}, errors, (note,)
    nothing = [{kind: np.zeros_like(rows) for kind, rows in one.items()} for one in residuals]
    labels = [target.structure.labels for target in chain(*targets)]
    calibration, _, record = judged_by(Unseen(labels, residuals, variances, nothing, nothing))
    without_displacements = replace(calibration, weight=0.0)
    return {SPREAD: CommitteeSpread(without_displacements, record)}, errors, ()


def _judged(models: Sequence[EnergyModel], targets: Sequence[Target]) -> tuple[ByKind, ByKind]:
    """Residuals of the mean and variances of the members, by kind of label, structure after structure."""
    residuals: dict[str, list[FloatArray]] = {}
    variances: dict[str, list[FloatArray]] = {}
    for target in targets:
        for kind in KINDS:
            rest = getattr(target, kind)
            if rest is not None:
                said = np.stack([_rows(model, target, kind) for model in models])
                residuals.setdefault(kind, []).append(rest - said.mean(0))
                variances.setdefault(kind, []).append(said.var(0, ddof=1))
    return tuple({kind: np.concatenate(rows) for kind, rows in one.items()} for one in (residuals, variances))  # pyright: ignore[reportReturnType]


def _rows(model: EnergyModel, target: Target, kind: Any) -> FloatArray:
    """What a member says, in the order of the labels."""
    value: torch.Tensor = getattr(Potential([model])(target.structure.atoms, want=(kind,)), kind)
    if kind == "energy":
        return value.numpy() / target.atoms
    return value[0].numpy()[VOIGT] if kind == "stress" else value.numpy().ravel()


def _errors(residuals: Sequence[ByKind]) -> dict[str, Any]:
    joined = {kind: [one[kind] for one in residuals if kind in one] for kind in KINDS}
    rows = {kind: np.concatenate(parts) for kind, parts in joined.items() if parts}
    return {
        "validation_mae": {kind: float(np.abs(of).mean()) for kind, of in rows.items()},
        "validation_rmse": {kind: float(np.sqrt(np.square(of).mean())) for kind, of in rows.items()},
    }
