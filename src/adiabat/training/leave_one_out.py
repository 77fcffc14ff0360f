"""Errors of a fit on structures that it has not seen, in closed form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from adiabat.training.examples import ONE_LEVEL, Example, NoiseFactors
from adiabat.training.regression import Solution
from adiabat.typing import FloatArray, IntArray

Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True)
class LeftOut:
    """Residuals of structures, each predicted by the fit to all others.

    Attributes:
        residuals: By kind of label, all structures' rows together: eV per atom, eV/Å, eV/Å³.
        noise: By kind of label, the standard deviation that the fit took each of these labels to have.
        structure: By kind of label, which of the structures each residual is of.
    """

    residuals: dict[str, FloatArray]
    noise: dict[str, FloatArray]
    structure: dict[str, IntArray]

    def mean_absolute(self, kind: str) -> float:
        """Mean absolute error of a kind."""
        return float(np.abs(self.residuals[kind]).mean())

    def root_mean_square(self, kind: str) -> float:
        """Root mean square error of a kind."""
        return float(np.sqrt(np.square(self.residuals[kind]).mean()))


def leave_one_structure_out(
    examples: Sequence[Example], solution: Solution, noise: Mapping[str, float], factors: NoiseFactors = ONE_LEVEL
) -> LeftOut:
    """Leave-one-structure-out residuals e = (1 - H)⁻¹ r, over the block of all rows of a structure.

    H = x P⁻¹ xᵀ is the block of the hat matrix, r the residuals of the whole fit, both in units of the noise. Exact for
    fixed noise and prior (e.g. T. Hastie, R. Tibshirani, J. Friedman, The Elements of Statistical Learning, section 7.10,
    for single rows; for blocks by the Woodbury identity).

    Args:
        examples: Structures that are among those fitted.
        solution: The fit to all.
        noise: What the fit was made with, by kind of label.
        factors: On the noise, by config_type: what the fit was made with.
    """
    residuals: dict[str, list[FloatArray]] = {}
    noises: dict[str, list[FloatArray]] = {}
    structure: dict[str, list[IntArray]] = {}
    for number, example in enumerate(examples):
        std = _row_noise(example, noise, factors)
        rows = np.concatenate([block.rows for block in example.blocks.values()])
        targets = np.concatenate([block.targets for block in example.blocks.values()])
        whitened = solution.whiten(rows / std[:, None])
        rest = np.eye(len(std)) - whitened.T @ whitened
        left_out = np.asarray(std * np.linalg.solve(rest, (targets - rows @ solution.mean) / std), dtype=float)
        first = 0
        for kind, block in example.blocks.items():
            of_kind = slice(first, first + len(block.targets))
            residuals.setdefault(kind, []).append(left_out[of_kind])
            noises.setdefault(kind, []).append(std[of_kind])
            structure.setdefault(kind, []).append(np.full(len(block.targets), number))
            first = of_kind.stop
    return LeftOut(_joined(residuals), _joined(noises), _joined(structure))


def _row_noise(example: Example, noise: Mapping[str, float], factors: NoiseFactors) -> FloatArray:
    """Standard deviation of each row of a structure, kind after kind."""
    return np.concatenate(
        [
            np.full(len(block.targets), noise[kind] * factors.get((kind, example.config_type), 1.0))
            for kind, block in example.blocks.items()
        ]
    )


def _joined(parts: dict[str, list[NDArray[Number]]]) -> dict[str, NDArray[Number]]:
    return {kind: np.concatenate(arrays) for kind, arrays in parts.items()}
