"""The Cholesky factor of a large matrix, tile by tile: in place, on all threads, the same bits for any number of them."""

from functools import partial

import numpy as np
import torch
from torch import Tensor

from adiabat.runs import side_by_side
from adiabat.uncertainty.tiles import tiles


def factorize(matrix: Tensor) -> None:
    """Put L, lower triangular with L Lᵀ = matrix, in the place of a symmetric positive definite matrix.

    Args:
        matrix: (n, n); what is above its diagonal plays no part.

    Raises:
        numpy.linalg.LinAlgError: It is not positive definite to rounding.
    """
    pieces = tiles(len(matrix))
    for step, here in enumerate(pieces):
        below = pieces[step + 1 :]
        side_by_side([partial(_factorize_corner, matrix[here, here])])
        side_by_side([partial(_divide, matrix[down, here], matrix[here, here]) for down in below])
        side_by_side(
            [
                partial(_subtract_product, matrix[down, right], matrix[down, here], matrix[right, here].T)
                for down in below
                for right in below
                if right.start <= down.start
            ]
        )
    matrix.tril_()


def solve_lower(factor: Tensor, right: Tensor, *, first: int = 0) -> None:
    """Put Z with L Z = B in the place of B, on one thread.

    Args:
        factor: (n, n) L, lower triangular.
        right: (n - first, m) B from its row `first` on; above it B, and so Z, is zero.
        first: See `right`.
    """
    for here in tiles(len(factor), first=first):
        rest = right[here.start - first : here.stop - first]
        if here.start > first:
            _subtract_product(rest, factor[here, first : here.start], right[: here.start - first])
        rest.copy_(torch.linalg.solve_triangular(factor[here, here], rest, upper=False))


def _factorize_corner(corner: Tensor) -> None:
    factor, failed = torch.linalg.cholesky_ex(corner)
    if failed:
        raise np.linalg.LinAlgError(f"the matrix is not positive definite (pivot {int(failed)} of a tile)")
    corner.copy_(factor)


def _divide(panel: Tensor, corner: Tensor) -> None:
    """Panel · corner⁻ᵀ."""
    panel.copy_(torch.linalg.solve_triangular(corner.T, panel, upper=True, left=False))


def _subtract_product(to: Tensor, left: Tensor, right: Tensor) -> None:
    torch.addmm(to, left, right, alpha=-1, out=to)
