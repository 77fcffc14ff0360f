"""A few directions in the space of coefficients that stand for a covariance of thousands.

The variance of x·c under a covariance C = R Rᵀ is |Rᵀx|². It is estimated by |QᵀRᵀx|² with few columns Q. Leading ones are those
along which the whitened rows Rᵀx / |Rᵀx| of a sample lie: they hold most of the variance of every row like the sample's, of
well-known rows as of badly known ones. The others are a random frame of the rest of the space, scaled so that the estimate
is right in the mean for whatever row, like the sample's or not (W. B. Johnson, J. Lindenstrauss, Contemp. Math. 26, 189 (1984)):
with s of them, the estimated variance of a row of which the leading ones hold nothing scatters by √(2/s) of it.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol, Self

import torch
from torch import Tensor

from adiabat.errors import ConfigurationError
from adiabat.system import PartState, register

SWEEPS = 6
"""Of the subspace iteration: what it leaves undone is covered by the random directions."""
OVERSAMPLING = 8
"""Vectors in the iteration beyond those that are wanted."""


class Root(Protocol):
    """R of a covariance R Rᵀ of coefficients."""

    def whiten(self, rows: Tensor) -> Tensor:
        """(n, k) x R for rows x (n, columns)."""
        ...

    def colour(self, vectors: Tensor) -> Tensor:
        """(d, columns) (R v)ᵀ for vectors v (k, d)."""
        ...


@register
@dataclass(frozen=True, eq=False)
class Projection:
    """Directions whose values on a row, squared and summed, estimate its variance.

    Attributes:
        directions: (directions, columns) eV.
        posterior_share: Of such a variance, in the typical row of the sample: the posterior's variance over it.
    """

    directions: Tensor
    posterior_share: float
    kind: ClassVar[str] = "projection"

    def variance(self, rows: Tensor) -> Tensor:
        """(n,) for rows (n, columns)."""
        return (rows @ self.directions.T).square().sum(1)

    def to_state(self) -> PartState:
        """As the file holds it."""
        return PartState(self.kind, {"posterior_share": self.posterior_share}, {"directions": self.directions})

    @classmethod
    def from_state(cls, state: PartState) -> Self:
        """The inverse of `to_state`."""
        return cls(state.tensors["directions"], float(state.values["posterior_share"]))


def project(root: Root, sample: Tensor, *, leading: int = 8, random: int = 8, seed: int = 0) -> Tensor:
    """(directions, columns) for a covariance.

    Args:
        root: Of the covariance.
        sample: (n, columns) rows like those whose variance will be asked for. Each counts alike, however well it is known; those
            without variance are left out.
        leading: Directions chosen by the sample.
        random: Directions for the rest, at least one unless the leading ones span the space.
        seed: Of these.

    Raises:
        ConfigurationError: Directions that are none, or leave a rest without any; a sample without variance.
    """
    relative = _relative(root.whiten(sample))
    space = relative.shape[1]
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
    first = _leading_frame(relative, leading, generator)
    drawn = torch.randn(space, random, generator=generator, dtype=relative.dtype)
    rest = _orthogonal(drawn, first)
    frame = torch.cat([first, rest * ((space - leading) / max(random, 1)) ** 0.5], dim=1)
    return root.colour(frame).contiguous()


def _relative(whitened: Tensor) -> Tensor:
    """(m, k) whitened rows at unit length."""
    length = whitened.norm(dim=1)
    uncertain = length > 0
    if not bool(uncertain.any()):
        raise ConfigurationError(
            f"{len(whitened)} rows without variance",
            place="sample of a projection",
            rule="directions are chosen by rows that are uncertain",
            mend="give rows that the covariance is of, and a covariance that is not zero",
        )
    return whitened[uncertain] / length[uncertain][:, None]


def _leading_frame(relative: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """(k, count) orthonormal: the leading right singular vectors, by subspace iteration."""
    space = relative.shape[1]
    width = min(space, count + OVERSAMPLING) if count else 0
    frame = torch.linalg.qr(torch.randn(space, width, generator=generator, dtype=relative.dtype))[0]
    for _ in range(SWEEPS):
        frame = torch.linalg.qr(relative.T @ (relative @ frame))[0]
    inner = relative @ frame
    return frame @ torch.linalg.eigh(inner.T @ inner)[1].flip(1)[:, :count]


def _orthogonal(vectors: Tensor, frame: Tensor) -> Tensor:
    """An orthonormal frame of the vectors' parts across another frame; twice, against rounding."""
    for _ in range(2):
        vectors = torch.linalg.qr(vectors - frame @ (frame.T @ vectors))[0]
    return vectors
