"""Errors of a fit on structures that it has not seen, in closed form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from adiabat.training.examples import Example
from adiabat.training.regression import Solution
from adiabat.typing import FloatArray, IntArray

Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True)
class LeftOut:
    """Residuals of structures, each predicted by the fit to all others.

    Attributes:
        residuals: By kind of label, all structures' rows together: eV per atom, eV/Å, eV/Å³.
        structure: By kind of label, which of the structures each residual is of.
    """

    residuals: dict[str, FloatArray]
    structure: dict[str, IntArray]

    def mean_absolute(self, kind: str) -> float:
        """Mean absolute error of a kind."""
        return float(np.abs(self.residuals[kind]).mean())

    def root_mean_square(self, kind: str) -> float:
        """Root mean square error of a kind."""
        return float(np.sqrt(np.square(self.residuals[kind]).mean()))


def leave_one_structure_out(examples: Sequence[Example], solution: Solution, noise: Mapping[str, float]) -> LeftOut:
    """Leave-one-structure-out residuals e = (1 - H)⁻¹ r, over the block of all rows of a structure.

    H = x P⁻¹ xᵀ is the block of the hat matrix, r the residuals of the whole fit, both in units of the noise. Exact for
    fixed noise and prior (e.g. T. Hastie, R. Tibshirani, J. Friedman, The Elements of Statistical Learning, section 7.10,
    for single rows; for blocks by the Woodbury identity).

    Args:
        examples: Structures that are among those fitted.
        solution: The fit to all.
        noise: What the fit was made with, by kind of label.
    """
    residuals: dict[str, list[FloatArray]] = {}
    structure: dict[str, list[IntArray]] = {}
    for number, example in enumerate(examples):
        std = np.concatenate([np.full(len(b.targets), noise[kind]) for kind, b in example.blocks.items()])
        rows = np.concatenate([block.rows for block in example.blocks.values()])
        targets = np.concatenate([block.targets for block in example.blocks.values()])
        whitened = solution.whiten(rows / std[:, None])
        rest = np.eye(len(std)) - whitened.T @ whitened
        left_out = np.asarray(std * np.linalg.solve(rest, (targets - rows @ solution.mean) / std), dtype=float)
        first = 0
        for kind, block in example.blocks.items():
            residuals.setdefault(kind, []).append(left_out[first : first + len(block.targets)])
            structure.setdefault(kind, []).append(np.full(len(block.targets), number))
            first += len(block.targets)
    return LeftOut(_joined(residuals), _joined(structure))


def _joined(parts: dict[str, list[NDArray[Number]]]) -> dict[str, NDArray[Number]]:
    return {kind: np.concatenate(arrays) for kind, arrays in parts.items()}
