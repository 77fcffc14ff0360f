"""Radial functions: simplified spherical Bessel functions, contracted, and smoothly switched off at short distance."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class InnerCutoff:
    """Where the radial functions of a pair of species go to zero at short distance.

    They are zero up to `radius - width`, untouched from `radius` on, twice continuously differentiable between:
    the kind ``distance`` of LAMMPS's ``pair_style pace``.

    Attributes:
        radius: Å.
        width: Å.
    """

    radius: float
    width: float


def simplified_bessel(distance: Tensor, count: int, cutoff: float) -> Tensor:
    """Orthonormal simplified spherical Bessel functions g_0 ... g_{count-1}.

    Linear combinations of sin(kπr/r_c)/r, k = 1 ... count+1, whose value, slope and curvature vanish at the cutoff
    (E. Kocer, J. K. Mason, H. Erturk, AIP Adv. 10, 015021 (2020), equations 6 to 12); the family ``SBessel`` of LAMMPS.

    Args:
        distance: (E,) Å, positive.
        count: How many.
        cutoff: Å.

    Returns:
        (E, count), in Å^(-3/2); zero beyond the cutoff.
    """
    inside = distance < cutoff
    angle = torch.where(inside, distance, cutoff) * (math.pi / cutoff)
    sinc = [torch.sin(k * angle) / (k * angle) for k in range(1, count + 2)]
    found: list[Tensor] = []
    d_before = 1.0
    for n in range(count):
        scale = (-1) ** n * math.sqrt(2) * math.pi / cutoff**1.5 * (n + 1) * (n + 2) / math.hypot(n + 1, n + 2)
        f = scale * (sinc[n] + sinc[n + 1])
        if n == 0:
            found.append(f)
            continue
        e = n**2 * (n + 2) ** 2 / (4 * (n + 1) ** 4 + 1)
        d = 1 - e / d_before
        found.append((f + math.sqrt(e / d_before) * found[-1]) / math.sqrt(d))
        d_before = d
    return torch.where(inside[:, None], torch.stack(found, dim=-1), 0.0)


def inner_switch(distance: Tensor, radius: Tensor, width: Tensor) -> Tensor:
    """(E,) 0 up to radius - width, 1 from radius on, a quintic with vanishing slope and curvature at both ends between."""
    t = ((distance - radius) / width + 1).clamp(0, 1)
    return t**3 * (10 - 15 * t + 6 * t**2)
