"""Convolution: what an atom's neighbours tell it, each from its direction, as one matrix product an atom.

A_i,lm,k = Σ_j Σ_m' G_lm,m'(r̂_ij) · [R_k(r_ij) h_j,m'k]: what the harmonics of a direction couple to is in G, which knows no
channels; radial functions and the neighbour's channels are in the bracket, which knows no harmonics. Their product over all
(edge, channel, harmonic) is never formed. For scalars h, G is the harmonics themselves.
"""

import torch
from torch import Tensor, nn

from adiabat.basis.spherical import Kind, coupling, places


def density(geometry: Tensor, told: Tensor) -> Tensor:
    """Σ over places of geometry (N, P, rows) times told (N, P, K): (rows, N, K)."""
    return torch.bmm(geometry.transpose(1, 2), told).transpose(0, 1)


class VectorGeometry(nn.Module):
    """G for vectors: the couplings of harmonics of degree l with a true vector to true tensors of the degrees l - 1 and l + 1.

    Args:
        l_max: Highest degree, of harmonics and of what they couple to.

    Attributes:
        degrees: Of each coupling's result, in the order of the rows.
        rows: Number of rows: components of all results.
    """

    def __init__(self, l_max: int) -> None:
        super().__init__()
        vector = Kind.true(1)
        found = [
            (degree, kind.degree)
            for degree in range(l_max + 1)
            for kind in Kind.true(degree).times(vector)
            if kind.is_true and kind.degree <= l_max
        ]
        self.degrees = tuple(result for _, result in found)
        self.rows = sum(2 * degree + 1 for degree in self.degrees)
        table = torch.zeros((l_max + 1) ** 2, 3, self.rows, dtype=torch.float64)
        start = 0
        for degree, result in found:
            stop = start + 2 * result + 1
            table[list(places(degree)), :, start:stop] = torch.tensor(coupling(degree, 1, result))
            start = stop
        self.register_buffer("table", table.flatten(1), persistent=False)

    def forward(self, harmonics: Tensor) -> Tensor:
        """(N, 3 J, rows) of harmonics (N, J, (l_max+1)²); a neighbour's components y, z, x stand together."""
        n, j, _ = harmonics.shape
        return (harmonics @ self.get_buffer("table")).reshape(n, 3 * j, self.rows)


class Mixing(nn.Module):
    """A matrix of channels for each coupling: (rows, N, K) to (rows, N, C), alike for all components of a tensor.

    Args:
        degrees: Of each tensor, in the order of its rows.
        inward: K.
        outward: C.
    """

    def __init__(self, degrees: tuple[int, ...], inward: int, outward: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.randn(len(degrees), inward, outward) / inward**0.5)
        of_row = [index for index, degree in enumerate(degrees) for _ in range(2 * degree + 1)]
        self.register_buffer("of_row", torch.tensor(of_row), persistent=False)

    def forward(self, tensors: Tensor) -> Tensor:
        """(rows, N, C)."""
        return torch.bmm(tensors, self.weights[self.get_buffer("of_row")])
