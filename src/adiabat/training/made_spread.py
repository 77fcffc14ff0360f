"""A spread and its calibration, from what a fit says of structures that it did not see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from adiabat.system import Labels
from adiabat.training.examples import VOIGT
from adiabat.typing import FloatArray
from adiabat.uncertainty import Calibration, LeftOutRows, Spread, calibrate
from adiabat.uncertainty.calibration import SYMMETRIC, VANISHING
from adiabat.uncertainty.scores import LEVELS, coverage, negative_log_likelihood

LEAST_GROUPS = 10
"""Of structures: with fewer, no one can say how wrong a fit is elsewhere."""
ByKind = Mapping[str, FloatArray]
"""Of a group of structures."""


@dataclass(frozen=True)
class Unseen:
    """Groups of structures that a fit did not see.

    Attributes:
        labels: Of all structures, group after group.
        residuals: Of each group, label minus prediction.
        posterior: Likewise, variances by the posterior.
        displaced: Likewise, mean squares of the displacements, see `LeftOutRows`.
        moved: Likewise, of the moves.
    """

    labels: Sequence[Labels]
    residuals: Sequence[ByKind]
    posterior: Sequence[ByKind]
    displaced: Sequence[ByKind]
    moved: Sequence[ByKind]

    def rows(self) -> dict[str, LeftOutRows]:
        """By kind of label, those that are not zero by symmetry."""
        columns = (self.residuals, self.posterior, self.displaced, self.moved)
        kinds = sorted({kind for one in self.residuals for kind in one})
        found = {kind: LeftOutRows(*(_joined(parts, kind) for parts in columns)) for kind in kinds}
        return {kind: rows.kept(self._telling(rows, kind)) for kind, rows in found.items()}

    def _telling(self, rows: LeftOutRows, kind: str) -> NDArray[np.bool_]:
        label = np.concatenate([_flat(of_structure, kind) for of_structure in self.labels])
        vanishing = np.maximum(np.abs(label), np.abs(label - rows.residuals)) < VANISHING[kind]
        return ~vanishing & (rows.posterior > SYMMETRIC * rows.posterior.mean())


def made_spread(moves: Tensor, displacements: Tensor, unseen: Unseen, record: Mapping[str, Any]) -> Spread:
    """The spread, calibrated.

    Args:
        moves: (groups, columns), see `Spread`.
        displacements: Likewise.
        unseen: What it is calibrated by.
        record: What else is to be known of it.
    """
    calibration, multiples, found = judged_by(unseen)
    return Spread(moves, displacements, calibration, multiples, {**found, **record})


def judged_by(unseen: Unseen) -> tuple[Calibration, dict[str, list[float]], dict[str, Any]]:
    """A calibration, its intervals by kind of label (see `Spread.multiples`), and what it is worth."""
    rows, groups = unseen.rows(), len(unseen.residuals)
    calibration = calibrate(rows)
    judged = {kind: (of_kind.residuals, calibration.std(of_kind, kind)) for kind, of_kind in rows.items()}
    multiples = {kind: _multiples(*of_kind, groups) for kind, of_kind in judged.items()}
    found = {
        "groups": groups,
        "structures": len(unseen.labels),
        "units": {"energy": "eV/atom", "forces": "eV/Å", "stress": "eV/Å³"},
        "left_out": {kind: _scores(*of_kind) for kind, of_kind in judged.items()},
    }
    return calibration, multiples, found


def _flat(labels: Labels, kind: str) -> FloatArray:
    """The labels of a kind in the order of their rows."""
    value = getattr(labels, kind)
    if value is None:
        return np.empty(0)
    return value[VOIGT] if kind == "stress" else np.ravel(value)


def _joined(parts: Sequence[ByKind], kind: str) -> FloatArray:
    return np.concatenate([part[kind] for part in parts if kind in part])


def _scores(residuals: FloatArray, std: FloatArray) -> dict[str, float]:
    """Coverage of central intervals and likelihood of left-out residuals."""
    return {
        **{f"coverage_{100 * level:.0f}": coverage(residuals, std, level) for level in LEVELS},
        "negative_log_likelihood": negative_log_likelihood(residuals, std),
        "rms_std": float(np.sqrt(np.mean(std**2))),
        "rmse": float(np.sqrt(np.mean(residuals**2))),
        "rows": len(residuals),
    }


def _multiples(residuals: FloatArray, std: FloatArray, groups: int) -> list[float]:
    """Quantiles of |e|/σ for central intervals of 1 % ... 99 %, a little higher for so few groups."""
    levels = np.minimum(np.arange(1, 100) / 100 * (groups + 1) / groups, 1.0)
    return np.quantile(np.abs(residuals) / std, levels, method="higher").tolist()
