"""One group of structures, left out of a fit: what the fit without it says of it, in closed form."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from adiabat.training.examples import Example
from adiabat.training.leave_one_out import whitened_rows
from adiabat.training.regression import Solution
from adiabat.typing import FloatArray

RIDGE = 1e-2
"""Of the largest eigenvalue of a group's block of the hat matrix: what is smaller is not asked of a displacement. From 0.001 to
0.1 the likelihood of left-out residuals changes by less than 0.01 per row on silicon and molybdenum."""


@dataclass(frozen=True)
class LeftOutGroup:
    """What is found.

    Attributes:
        residuals: By kind of label: eV per atom, eV/Å, eV/Å³.
        posterior: By kind of label, variances by the posterior of the fit without the group.
        displacement: (columns,) in whitened coordinates: the smallest that makes the fit without the group meet its residuals
            of the anchor.
        move: (columns,) by which the fit moves without the group, in whitened coordinates.
    """

    residuals: dict[str, FloatArray]
    posterior: dict[str, FloatArray]
    displacement: Tensor
    move: Tensor


def leave_out(examples: Sequence[Example], solution: Solution, std: Sequence[FloatArray], anchor: str) -> LeftOutGroup:
    """Leave a group out: e = (1 - H)⁻¹ r over all its rows, with the variances (1 - H)⁻¹ H, in units of the noise.

    Args:
        examples: The structures of the group.
        solution: The fit to all structures.
        std: Of each structure, the noise of its rows.
        anchor: The kind of label that displacements are to meet; another one where the group has no such labels.

    Raises:
        numpy.linalg.LinAlgError: The group is all that the fit knows of something.
    """
    whitened = whitened_rows(examples, solution, std)
    rows, residuals = whitened.rows, torch.cat(whitened.residuals)
    errors, variances = _without(rows, residuals)
    kinds = np.concatenate([np.repeat(list(e.blocks), [len(b.targets) for b in e.blocks.values()]) for e in examples])
    met = torch.from_numpy(kinds == (anchor if anchor in kinds else kinds[0]))
    displacement, move = torch.zeros(2, len(solution.mean), dtype=torch.float64)
    displacement[whitened.first :] = _smallest(rows[:, met], errors[met])
    move[whitened.first :] = rows @ errors
    noise = np.concatenate(std)
    names = sorted(set(kinds.tolist()))
    return LeftOutGroup(
        residuals={kind: (errors.numpy() * noise)[kinds == kind] for kind in names},
        posterior={kind: (variances.numpy() * noise**2)[kinds == kind] for kind in names},
        displacement=displacement,
        move=move,
    )


def _without(rows: Tensor, residuals: Tensor) -> tuple[Tensor, Tensor]:
    """(1 - ZᵀZ)⁻¹ r and the diagonal of (1 - ZᵀZ)⁻¹ ZᵀZ, by the smaller of rows and columns."""
    if rows.shape[1] <= rows.shape[0]:
        rest = torch.eye(rows.shape[1], dtype=torch.float64).addmm_(rows.T, rows, alpha=-1)
        inverse = torch.cholesky_inverse(_factor(rest))
        return inverse @ residuals, (inverse.diagonal() - 1).clamp(min=0.0)
    rest = torch.eye(rows.shape[0], dtype=torch.float64).addmm_(rows, rows.T, alpha=-1)
    factor = _factor(rest)
    moved = torch.cholesky_solve((rows @ residuals)[:, None], factor)[:, 0]
    return residuals + rows.T @ moved, torch.linalg.solve_triangular(factor, rows, upper=False).square().sum(0)


def _factor(matrix: Tensor) -> Tensor:
    factor, failed = torch.linalg.cholesky_ex(matrix)
    if failed:
        raise np.linalg.LinAlgError("a group of structures is all that the fit knows of something")
    return factor


def _smallest(rows: Tensor, errors: Tensor) -> Tensor:
    """Z (ZᵀZ + λ)⁻¹ e = (Z Zᵀ + λ)⁻¹ Z e, by the smaller of rows and columns."""
    wide = rows.shape[1] > rows.shape[0]
    block = rows @ rows.T if wide else rows.T @ rows
    largest = float(torch.linalg.eigvalsh(block)[-1])
    if not largest > 0:
        return torch.zeros(len(rows), dtype=torch.float64)
    factor = _factor(block + RIDGE * largest * torch.eye(len(block), dtype=torch.float64))
    if wide:
        return torch.cholesky_solve((rows @ errors)[:, None], factor)[:, 0]
    return rows @ torch.cholesky_solve(errors[:, None], factor)[:, 0]
