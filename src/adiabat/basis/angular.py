"""Real spherical harmonics of any degree, polynomials in the components of a unit vector."""

import math

import torch
from torch import Tensor


def real_spherical_harmonics(directions: Tensor, l_max: int) -> Tensor:
    """Orthonormal real spherical harmonics without the Condon-Shortley phase.

    Y_lm = sqrt(2) K_lm P_l^|m|(z)/s^|m| · Im[(x+iy)^|m|] for m < 0, the same with Re for m > 0, K_l0 P_l(z) for m = 0,
    where s² = 1 - z². P_l^m/s^m is a polynomial in z, so that nothing is singular at the poles.
    (Press et al., Numerical Recipes, 3rd ed., section 6.7, for the recurrence in l.)

    Args:
        directions: (E, 3) unit vectors.
        l_max: Highest degree.

    Returns:
        (E, (l_max+1)²), in the order (0,0), (1,-1), (1,0), (1,1), (2,-2) ...
    """
    x, y, z = directions.unbind(-1)
    cosine, sine = torch.ones_like(x), torch.zeros_like(x)  # Re and Im of (x+iy)^m
    columns: dict[tuple[int, int], Tensor] = {}
    for m in range(l_max + 1):
        for degree, legendre in _scaled_legendre(z, m, l_max):
            if m == 0:
                columns[degree, 0] = legendre
            else:
                columns[degree, m] = math.sqrt(2) * legendre * cosine
                columns[degree, -m] = math.sqrt(2) * legendre * sine
        cosine, sine = cosine * x - sine * y, cosine * y + sine * x
    return torch.stack([columns[degree, m] for degree in range(l_max + 1) for m in range(-degree, degree + 1)], dim=-1)


def _scaled_legendre(z: Tensor, m: int, l_max: int) -> list[tuple[int, Tensor]]:
    """(l, K_lm P_l^m(z)/s^m) for l = m ... l_max, orthonormal over the sphere, positive leading sign."""
    first = math.sqrt((2 * m + 1) / (4 * math.pi) * math.prod((2 * k - 1) / (2 * k) for k in range(1, m + 1)))
    found = [(m, torch.full_like(z, first))]
    if l_max > m:
        found.append((m + 1, z * math.sqrt(2 * m + 3) * first))
    for degree in range(m + 2, l_max + 1):
        a = math.sqrt((4 * degree**2 - 1) / (degree**2 - m**2))
        b = math.sqrt(((degree - 1) ** 2 - m**2) / (4 * (degree - 1) ** 2 - 1))
        found.append((degree, a * (z * found[-1][1] - b * found[-2][1])))
    return found
