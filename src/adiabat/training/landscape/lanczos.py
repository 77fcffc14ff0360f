"""The largest and smallest eigenvalues of a symmetric operator that is only known by what it makes of vectors."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

BREAKDOWN = 1e-12
"""Of the largest entry: a space that the operator does not leave."""


@dataclass(frozen=True, eq=False)
class Ritz:
    """Eigenvalues and eigenvectors within the space that was searched.

    Attributes:
        values: (m,), ascending.
        vectors: (n, m), orthonormal.
        errors: (m,): some eigenvalue lies within so much of each value.
    """

    values: Tensor
    vectors: Tensor
    errors: Tensor


def lanczos(operator: Callable[[Tensor], Tensor], start: Tensor, steps: int) -> Ritz:
    """By the Lanczos iteration, each vector orthogonalised against all before it.

    C. Lanczos, J. Res. Natl. Bur. Stand. 45, 255 (1950); the errors are residuals (B. N. Parlett, The Symmetric Eigenvalue Problem,
    section 13.2).

    Args:
        operator: Symmetric, of vectors (n,).
        start: (n,) not zero: drawn at random, so that no eigenvector is missed.
        steps: How often it is applied, at most; n are enough.
    """
    basis = [start / start.norm()]
    diagonal: list[float] = []
    beside: list[float] = []
    while True:
        image = operator(basis[-1])
        diagonal.append(float(image @ basis[-1]))
        frame = torch.stack(basis, dim=1)
        for _ in range(2):
            image = image - frame @ (frame.T @ image)
        rest = float(image.norm())
        scale = max(map(abs, (*diagonal, *beside)))
        if len(basis) >= min(steps, len(start)) or rest <= BREAKDOWN * scale:
            break
        beside.append(rest)
        basis.append(image / rest)
    inner = torch.diag(torch.tensor(diagonal, dtype=start.dtype))
    if beside:
        off = torch.diag(torch.tensor(beside, dtype=start.dtype), 1)
        inner = inner + off + off.T
    values, vectors = torch.linalg.eigh(inner)
    return Ritz(values, frame @ vectors, rest * vectors[-1].abs())
