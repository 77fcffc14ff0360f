"""Radial functions of edges, learned: a small network on Bessel functions, that goes to zero at the cutoff."""

import math

import torch
from torch import Tensor, nn


def bessel(distance: Tensor, count: int, cutoff: float) -> Tensor:
    """√2 sin(kπr/r_c) r_c/(πr) for k = 1 ... count.

    (J. Gasteiger, J. Groß, S. Günnemann, ICLR 2020, equation 7, but for the factor.)

    Args:
        distance: (..., 1) Å, positive.
        count: How many.
        cutoff: Å.

    Returns:
        (..., count), of order one.
    """
    x = distance * (math.pi / cutoff)
    waves = torch.arange(1, count + 1, dtype=x.dtype, device=x.device)
    return torch.sin(x * waves) * (math.sqrt(2) / x)


def envelope(distance: Tensor, cutoff: float) -> Tensor:
    """1 at 0; value and three derivatives vanish at the cutoff: (1-x)⁴ (1 + 4x + 10x² + 20x³ + 35x⁴ + 56x⁵), zero beyond.

    Its slope is -504 x⁵ (1-x)³: one derivative smoother than the envelope of J. Gasteiger, J. Groß, S. Günnemann, ICLR 2020,
    equation 8, with p = 6. In this form no digits cancel.
    """
    x = (distance / cutoff).clamp(max=1.0)
    y = (1 - x) * (1 - x)
    return y * y * (1 + x * (4 + x * (10 + x * (20 + x * (35 + x * 56)))))


def bound(distance: Tensor, cutoff: float) -> Tensor:
    """(N,) 0 without neighbours, 1 - exp(-3 Σ_j envelope(r_ij)) with them: 1 to rounding where atoms stand as in matter.

    What the energies of bound atoms have in common is put on this, so that a network need not build it of what varies.

    Args:
        distance: (N, J, 1) Å.
        cutoff: Å.
    """
    return 1 - torch.exp(-3 * envelope(distance, cutoff).sum((1, 2)))


class RadialNetwork(nn.Module):
    """R_k(r) = envelope(r) Σ_h W_hk silu(Σ_n V_nh bessel_n(r) + b_zz'h), for all layers at once.

    Args:
        cutoff: Å.
        bessels: Bessel functions.
        hidden: Width.
        functions: How many radial functions.
        species: Number of elements; a pair of them has its own b.
    """

    def __init__(self, cutoff: float, *, bessels: int, hidden: int, functions: int, species: int) -> None:
        super().__init__()
        self.cutoff, self.species = cutoff, species
        self.bessels = bessels
        self.inward = nn.Parameter(torch.randn(bessels, hidden) / math.sqrt(bessels))
        self.bias = nn.Parameter(torch.randn(species * species, hidden))
        self.outward = nn.Parameter(torch.randn(hidden, functions) * math.sqrt(3 / hidden))

    def forward(self, distance: Tensor, pair: Tensor, columns: slice) -> Tensor:
        """(N, J, functions), those of some columns, of distances (N, J, 1) Å and pairs (N, J) of species, z · species + z'."""
        inner = bessel(distance, self.bessels, self.cutoff) @ self.inward
        inner = inner + (self.bias if self.species == 1 else self.bias[pair])
        return (nn.functional.silu(inner) @ self.outward[:, columns]) * envelope(distance, self.cutoff)
