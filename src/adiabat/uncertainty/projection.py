"""A few directions in the space of coefficients that stand for a covariance of thousands.

The variance of x·c under a covariance C = R Rᵀ is |Rᵀx|². It is estimated by |QᵀRᵀx|² with few columns Q. Leading ones are those
along which the whitened rows Rᵀx / |Rᵀx| of a sample lie: they hold most of the variance of every row like the sample's, of
well-known rows as of badly known ones. The others are a random frame of the rest of the space, scaled so that the estimate
is right in the mean for whatever row, like the sample's or not (W. B. Johnson, J. Lindenstrauss, Contemp. Math. 26, 189 (1984)):
with s of them, the estimated variance of a row of which the leading ones hold nothing scatters by √(2/s) of it.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from adiabat.errors import ConfigurationError

SWEEPS = 6
"""Of the subspace iteration: what it leaves undone is covered by the random directions."""
OVERSAMPLING = 8
"""Vectors in the iteration beyond those that are wanted."""


@dataclass(frozen=True, eq=False)
class Projection:
    """Directions whose values on a row, squared and summed, estimate its variance.

    Attributes:
        directions: (directions, columns).
    """

    directions: Tensor

    def variance(self, rows: Tensor) -> Tensor:
        """(n,) for rows (n, columns)."""
        return (rows @ self.directions.T).square().sum(1)


def relative_moments(root: Tensor, rows: Tensor) -> Tensor:
    """(columns, columns) the mean of x xᵀ / (x C xᵀ) over rows x: each row counts alike, however well it is known.

    Args:
        root: (columns, k) R, with C = R Rᵀ.
        rows: (n, columns); those without variance are left out.

    Raises:
        ConfigurationError: None has a variance.
    """
    variance = (rows @ root).square().sum(1)
    uncertain = variance > 0
    if not bool(uncertain.any()):
        raise ConfigurationError(
            f"{len(rows)} rows without variance",
            place="sample of a projection",
            rule="directions are chosen by rows that are uncertain",
            mend="give rows that the covariance is of, and a covariance that is not zero",
        )
    scaled = rows[uncertain] / variance[uncertain].sqrt()[:, None]
    return scaled.T @ scaled / len(scaled)


def project(root: Tensor, moments: Tensor, *, leading: int = 8, random: int = 8, seed: int = 0) -> Projection:
    """Directions for a covariance.

    Args:
        root: (columns, k) R, with C = R Rᵀ.
        moments: (columns, columns) second moments of rows like those whose variance will be asked for, as
            `relative_moments` has them; up to a factor.
        leading: Directions chosen by the moments.
        random: Directions for the rest, at least one unless the leading ones span the space.
        seed: Of these.

    Raises:
        ConfigurationError: Directions that are none, or leave a rest without any.
    """
    space = root.shape[1]
    leading = min(leading, space)
    random = min(random, space - leading)
    if leading < 0 or random < 0 or (random == 0 and leading < space):
        raise ConfigurationError(
            f"{leading} leading and {random} random directions of {space}",
            place="projection",
            rule="neither number is negative, and what the leading directions leave is covered by one random direction or more",
            mend="leading=8, random=8",
        )
    generator = torch.Generator().manual_seed(seed)
    first = _leading_frame(root, moments, leading, generator)
    drawn = torch.randn(space, random, generator=generator, dtype=root.dtype)
    rest = _orthogonal(drawn, first)
    frame = torch.cat([first, rest * ((space - leading) / max(random, 1)) ** 0.5], dim=1)
    return Projection((root @ frame).T.contiguous())


def _leading_frame(root: Tensor, moments: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """(k, count) orthonormal: the leading eigenvectors of Rᵀ M R, by subspace iteration."""
    width = min(root.shape[1], count + OVERSAMPLING) if count else 0
    frame = torch.linalg.qr(torch.randn(root.shape[1], width, generator=generator, dtype=root.dtype))[0]
    for _ in range(SWEEPS):
        frame = torch.linalg.qr(root.T @ (moments @ (root @ frame)))[0]
    inner = (root @ frame).T @ (moments @ (root @ frame))
    return frame @ torch.linalg.eigh(inner)[1].flip(1)[:, :count]


def _orthogonal(vectors: Tensor, frame: Tensor) -> Tensor:
    """An orthonormal frame of the vectors' parts across another frame; twice, against rounding."""
    for _ in range(2):
        vectors = torch.linalg.qr(vectors - frame @ (frame.T @ vectors))[0]
    return vectors
