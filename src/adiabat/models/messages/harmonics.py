"""Harmonics of many directions by few matrix products: each degree couples the one before with the direction itself."""

import math

import numpy as np
import torch
from torch import Tensor, nn

from adiabat.basis.angular import real_spherical_harmonics
from adiabat.basis.spherical import coupling, places


class Harmonics(nn.Module):
    """√(4π) Y_lm, so that the squares of a degree's components add up to 2l+1.

    Y_l+1 is, but for a number, the coupling of Y_l with Y_1 to the degree l+1.

    Args:
        l_max: Highest degree, 1 or more.
    """

    def __init__(self, l_max: int) -> None:
        super().__init__()
        self.l_max = l_max
        first = math.sqrt(3) * np.eye(3)[[1, 2, 0]].T  # the components of Y_1 are y, z, x
        self.register_buffer("step_1", torch.tensor(first), persistent=False)
        for degree in range(2, l_max + 1):
            self.register_buffer(f"step_{degree}", _step(degree), persistent=False)

    def forward(self, directions: Tensor) -> Tensor:
        """(..., (l_max+1)²) of unit vectors (..., 3)."""
        flat = directions.reshape(-1, 3)
        y_1 = flat @ self.get_buffer("step_1")
        found = [torch.ones_like(flat[:, :1]), y_1]
        for degree in range(2, self.l_max + 1):
            outer = (found[-1][:, :, None] * y_1[:, None, :]).reshape(flat.shape[0], -1)
            found.append(outer @ self.get_buffer(f"step_{degree}"))
        return torch.cat(found, dim=-1).reshape(*directions.shape[:-1], -1)


def _step(degree: int) -> Tensor:
    """(3 (2l-1), 2l+1): from the products of Y_{l-1} and Y_1 to Y_l."""
    table = coupling(degree - 1, 1, degree)
    direction = torch.tensor([[0.48, 0.6, 0.64]], dtype=torch.float64)
    harmonics = math.sqrt(4 * math.pi) * real_spherical_harmonics(direction, degree)[0].numpy()
    before, first, wanted = (
        harmonics[list(places(degree - 1))],
        harmonics[list(places(1))],
        harmonics[list(places(degree))],
    )
    found = np.einsum("abc,a,b->c", table, before, first)
    return torch.tensor(table.reshape(-1, 2 * degree + 1) * (found @ wanted) / (found @ found))
