"""Calibration: the weights of a predictive variance's terms, by the likelihood of residuals that were left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy.optimize import minimize

from adiabat.typing import FloatArray

SMALLEST_VARIANCE = 1e-30
"""Of a row, (eV per atom)², (eV/Å)² or (eV/Å³)²: below rounding."""
SYMMETRIC = 1e-10
"""Of the mean posterior variance of a kind: what is less is rounding, of rows that are zero whatever the coefficients are."""
VANISHING = {"energy": 0.0, "forces": 1e-4, "stress": 1e-6}
"""eV per atom, eV/Å, eV/Å³: rows whose label and prediction are both below are zero by symmetry, and say nothing."""
START_SHARE = 0.3
"""Of the mean square residual, to each term, where the search begins."""
RANGE = 30.0
"""Of logarithms, about the start: what ends there is nothing, in the numbers of a computer."""


@dataclass(frozen=True)
class LeftOutRows:
    """Rows of one kind of label, each with its group of structures left out of the fit.

    Attributes:
        residuals: (n,) label minus prediction: eV per atom, eV/Å or eV/Å³.
        posterior: (n,) variance by the posterior of the fit without the group.
        displaced: (n,) mean square of the displacements that the other groups ask for (see `Spread`).
        moved: (n,) mean square of the moves of the other groups.
    """

    residuals: FloatArray
    posterior: FloatArray
    displaced: FloatArray
    moved: FloatArray

    def kept(self, kept: np.ndarray) -> "LeftOutRows":
        """Some of the rows."""
        return LeftOutRows(self.residuals[kept], self.posterior[kept], self.displaced[kept], self.moved[kept])


@dataclass(frozen=True)
class Calibration:
    """Misfit variance of a row of a kind: scale² (widening · p + weight · d) + root · √p + floor².

    p is the posterior's variance, d the mean square over `Spread.displacements`.

    Attributes:
        widening: Of the posterior: misfit along what the data leave open.
        weight: Of the displacements: misfit along what structures ask for.
        scale: By kind of label, on both.
        root: By kind of label, in its unit: errors do not shrink as fast as the posterior where that is small.
        floor: By kind of label: eV per atom, eV/Å, eV/Å³; misfit that no coefficients describe.
    """

    widening: float
    weight: float
    scale: dict[str, float]
    root: dict[str, float]
    floor: dict[str, float]

    def misfit(self, posterior: FloatArray, displaced: FloatArray, kind: str) -> FloatArray:
        """(n,) misfit variance of rows, from p and d as above."""
        spread = self.scale[kind] ** 2 * (self.widening * posterior + self.weight * displaced)
        return spread + self.root[kind] * np.sqrt(posterior) + self.floor[kind] ** 2

    def std(self, rows: LeftOutRows, kind: str) -> FloatArray:
        """(n,) predictive standard deviations of rows."""
        return np.sqrt(rows.moved + self.misfit(rows.posterior, rows.displaced, kind))


def calibrate(rows: Mapping[str, LeftOutRows]) -> Calibration:
    """The calibration under which left-out residuals are most likely, if Gaussian.

    First one widening and one weight for all kinds of label, with a floor for each, so that members drawn from them agree with
    energies, forces and stresses at once (kinds count alike, whatever their rows); then scale, root and floor of each kind by
    its own residuals.

    Args:
        rows: By kind of label, none of them zero by symmetry.
    """
    terms = {kind: _Terms.of(of_kind) for kind, of_kind in rows.items()}
    widening, weight = _most_likely([replace(of_kind, own=of_kind.own[1:]) for of_kind in terms.values()])[:2]
    scale, root, floor = {}, {}, {}
    for kind, of_kind in terms.items():
        misfit = widening * of_kind.shared[0] + weight * of_kind.shared[1]
        squared, root[kind], floor_squared = _most_likely([replace(of_kind, shared=misfit[None])])
        scale[kind], floor[kind] = float(np.sqrt(squared)), float(np.sqrt(floor_squared))
    return Calibration(widening, weight, scale, root, floor)


@dataclass(frozen=True)
class _Terms:
    """A variance fixed + Σ weight · shared + Σ weight · own of rows with these squared residuals."""

    squares: FloatArray
    fixed: FloatArray
    shared: FloatArray
    own: FloatArray

    @classmethod
    def of(cls, rows: LeftOutRows) -> Self:
        shared = np.stack([rows.posterior, rows.displaced])
        own = np.stack([np.sqrt(rows.posterior), np.ones_like(rows.posterior)])
        return cls(np.square(rows.residuals), rows.moved, shared, own)

    @property
    def size(self) -> float:
        """The mean square."""
        return max(float(self.squares.mean()), SMALLEST_VARIANCE)


def _most_likely(kinds: Sequence[_Terms]) -> list[float]:
    """The weights of the shared terms, then those of each kind's own."""
    n_shared, n_own = len(kinds[0].shared), len(kinds[0].own)

    def loss(logarithms: FloatArray) -> tuple[float, FloatArray]:
        weights, value, slope = np.exp(logarithms), 0.0, np.zeros_like(logarithms)
        for place, kind in enumerate(kinds):
            here = [*range(n_shared), *range(n_shared + place * n_own, n_shared + (place + 1) * n_own)]
            terms = np.concatenate([kind.shared, kind.own])
            variance = kind.fixed + weights[here] @ terms + SMALLEST_VARIANCE
            value += 0.5 * float(np.mean(np.log(variance) + kind.squares / variance))
            by_variance = 0.5 * (1 - kind.squares / variance) / variance / len(variance)
            slope[here] += weights[here] * (terms @ by_variance)
        return value, slope

    start = _start(kinds)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(at - RANGE, at + RANGE) for at in start])
    return np.exp(found.x).tolist()


def _start(kinds: Sequence[_Terms]) -> FloatArray:
    """Where each term alone would explain a part of the squares."""
    shared = [
        np.mean([np.log(kind.size / max(float(kind.shared[term].mean()), SMALLEST_VARIANCE)) for kind in kinds])
        for term in range(len(kinds[0].shared))
    ]
    own = [np.log(kind.size / max(float(term.mean()), SMALLEST_VARIANCE)) for kind in kinds for term in kind.own]
    return np.log(START_SHARE) + np.array([*shared, *own])
