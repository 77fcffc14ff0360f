"""Errors of a fit on structures that it has not seen, in closed form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from adiabat.runs import side_by_side
from adiabat.training.examples import ONE_LEVEL, Example, NoiseFactors
from adiabat.training.regression import Solution
from adiabat.typing import FloatArray, IntArray
from adiabat.uncertainty.cholesky import solve_lower

Number = TypeVar("Number", bound=np.generic)
ROWS_AT_ONCE = 512
"""Of several structures, whitened together: the factor is fetched from memory once for all."""


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

    Raises:
        numpy.linalg.LinAlgError: A structure is all that the fit knows of something.
    """
    std = [row_noise(example, noise, factors) for example in examples]
    batches = _batches(examples)
    tasks = [partial(_left_out, [examples[i] for i in batch], solution, [std[i] for i in batch]) for batch in batches]
    found = dict(zip(chain(*batches), chain(*side_by_side(tasks)), strict=True))
    residuals: dict[str, list[FloatArray]] = {}
    noises: dict[str, list[FloatArray]] = {}
    structure: dict[str, list[IntArray]] = {}
    for number, example in enumerate(examples):
        first = 0
        for kind, block in example.blocks.items():
            of_kind = slice(first, first + len(block.targets))
            residuals.setdefault(kind, []).append(found[number][of_kind])
            noises.setdefault(kind, []).append(std[number][of_kind])
            structure.setdefault(kind, []).append(np.full(len(block.targets), number))
            first = of_kind.stop
    return LeftOut(_joined(residuals), _joined(noises), _joined(structure))


def _batches(examples: Sequence[Example]) -> list[list[int]]:
    """Structures to whiten together, alike in the first species that they hold: columns before it cost nothing."""
    batches: list[list[int]] = []
    rows, species = ROWS_AT_ONCE, -1
    for index in sorted(range(len(examples)), key=lambda index: examples[index].present[0]):
        if rows >= ROWS_AT_ONCE or examples[index].present[0] != species:
            batches.append([])
            rows, species = 0, examples[index].present[0]
        batches[-1].append(index)
        rows += sum(len(block.targets) for block in examples[index].blocks.values())
    return batches


def _left_out(examples: Sequence[Example], solution: Solution, std: Sequence[FloatArray]) -> list[FloatArray]:
    """Left-out residuals of structures with the same first species, kind after kind."""
    whitened = whitened_rows(examples, solution, std)
    stops = np.cumsum([len(of_example) for of_example in std])
    return [
        of_example * _without_own(whitened.rows[:, stop - len(of_example) : stop], residual).numpy()
        for of_example, stop, residual in zip(std, stops.tolist(), whitened.residuals, strict=True)
    ]


@dataclass(frozen=True)
class Whitened:
    """Rows of structures in units of the noise, in coordinates in which the posterior's covariance is one.

    Attributes:
        first: Above this row all is zero.
        rows: (columns - first, n), structure after structure.
        residuals: Of each structure, of the whole fit, in units of the noise.
    """

    first: int
    rows: Tensor
    residuals: list[Tensor]


def whitened_rows(examples: Sequence[Example], solution: Solution, std: Sequence[FloatArray]) -> Whitened:
    """The rows of structures, kind after kind.

    Args:
        examples: Structures; best those with the same first species, for columns before it then cost nothing.
        solution: The fit.
        std: Of each structure, the standard deviation of its rows.
    """
    width = examples[0].features.shape[1]
    stops = np.cumsum([len(of_example) for of_example in std])
    first = min(example.present[0] for example in examples) * width
    mean, scale = (of.reshape(-1, width) for of in (torch.from_numpy(solution.mean), solution.covariance.scale))
    whitened = torch.zeros(len(solution.mean) - first, int(stops[-1]), dtype=torch.float64)
    residuals = []
    for example, of_example, stop in zip(examples, std, stops.tolist(), strict=True):
        weights, species = torch.from_numpy(1 / of_example), list(example.present)
        rows = torch.cat([torch.from_numpy(block.rows) for block in example.blocks.values()]) * weights[:, None]
        targets = torch.cat([torch.from_numpy(block.targets) for block in example.blocks.values()]) * weights
        residuals.append(targets - rows @ mean[species].flatten())
        by_species = rows.reshape(len(rows), len(species), width) * scale[species]
        for k, place in enumerate(species):
            own = slice(stop - len(of_example), stop)
            whitened[place * width - first : (place + 1) * width - first, own] = by_species[:, k].T
    solve_lower(solution.covariance.factor, whitened, first=first)
    return Whitened(first, whitened, residuals)


def _without_own(whitened: Tensor, residuals: Tensor) -> Tensor:
    """(1 - ZᵀZ)⁻¹ r."""
    rest = torch.eye(len(residuals), dtype=torch.float64).addmm_(whitened.T, whitened, alpha=-1)
    found, failed = torch.linalg.solve_ex(rest, residuals)
    if failed:
        raise np.linalg.LinAlgError("a structure is all that the fit knows of something")
    return found


def row_noise(example: Example, noise: Mapping[str, float], factors: NoiseFactors) -> FloatArray:
    """Standard deviation of each row of a structure, kind after kind."""
    return np.concatenate(
        [
            np.full(len(block.targets), noise[kind] * factors.get((kind, example.config_type), 1.0))
            for kind, block in example.blocks.items()
        ]
    )


def _joined(parts: dict[str, list[NDArray[Number]]]) -> dict[str, NDArray[Number]]:
    return {kind: np.concatenate(arrays) for kind, arrays in parts.items()}
