"""Choice of the most informative structures from a pool."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from adiabat.errors import ConfigurationError
from adiabat.uncertainty.covariance import Covariance


@dataclass(frozen=True)
class Selection:
    """What was chosen, in the order in which it was.

    Attributes:
        chosen: Places in the pool.
        gains: What each added to those before it: information in nats, or a distance.
    """

    chosen: tuple[int, ...]
    gains: tuple[float, ...]


def choose_d_optimal(pool: Sequence[Tensor], covariance: Covariance, count: int) -> Selection:
    """Structures whose labels would say most of the coefficients: greedily, each the largest gain of log det(1 + X C Xᵀ) / 2.

    The gain of a structure falls as others are chosen (the function is submodular), so that one whose gain was small once
    need not be looked at again until it is the largest that is left (M. Minoux, in Optimization Techniques (Springer, 1978),
    p. 234); the greedy choice is within 1 - 1/e of the best (G. L. Nemhauser et al., Math. Program. 14, 265 (1978)). Of equal
    gains the first in the pool is taken.

    Args:
        pool: By structure, rows (m, columns) of the labels that it would get, each divided by the standard deviation of its
            noise; features of its atoms, to choose by environments.
        covariance: C of the coefficients: that of the posterior.
        count: How many to choose.

    Raises:
        ConfigurationError: The pool holds fewer.
    """
    _require(count, len(pool))
    candidates = [_Candidate.of(covariance.whiten(rows)) for rows in pool]
    heap = [(-candidate.gain(), place) for place, candidate in enumerate(candidates)]
    heapq.heapify(heap)
    known: list[Tensor] = []
    chosen, gains = [], []
    while len(chosen) < count:
        _, place = heap[0]
        candidate = candidates[place]
        if candidate.seen < len(known):
            candidate.look_at(known)
            heapq.heapreplace(heap, (-candidate.gain(), place))
            continue
        loss, _ = heapq.heappop(heap)
        chosen.append(place)
        gains.append(-loss)
        known.append(candidate.taught(known))
    return Selection(tuple(chosen), tuple(gains))


@dataclass(eq=False)
class _Candidate:
    """A structure of the pool.

    Attributes:
        whitened: (columns, m) Z, with ZᵀZ = X C Xᵀ.
        left: (m, m) the same with what the chosen structures have left of the covariance.
        seen: How many of the chosen that is.
    """

    whitened: Tensor
    left: Tensor
    seen: int = 0

    @classmethod
    def of(cls, whitened: Tensor) -> "_Candidate":
        return cls(whitened, whitened.T @ whitened)

    def gain(self) -> float:
        """Log det(1 + left) / 2, in nats."""
        unit = torch.eye(len(self.left), dtype=self.left.dtype)
        return float(torch.linalg.cholesky(unit + self.left).diagonal().log().sum())

    def look_at(self, known: Sequence[Tensor]) -> None:
        """Take off what the structures that were chosen meanwhile say."""
        for taught in known[self.seen :]:
            said = taught.T @ self.whitened
            self.left.addmm_(said.T, said, alpha=-1)
        self.seen = len(known)

    def taught(self, known: Sequence[Tensor]) -> Tensor:
        """(columns, m) V, by which the covariance left in whitened coordinates, 1 - Σ V Vᵀ, shrinks when this one is chosen."""
        rest = self.whitened - sum((v @ (v.T @ self.whitened) for v in known), start=torch.zeros_like(self.whitened))
        unit = torch.eye(len(self.left), dtype=self.left.dtype)
        factor = torch.linalg.cholesky(unit + self.left)
        return torch.linalg.solve_triangular(factor, rest.T, upper=False).T


def choose_farthest(points: Tensor, count: int, *, known: Tensor | None = None) -> Selection:
    """Points each of which is farthest from those chosen before it (T. F. Gonzalez, Theor. Comput. Sci. 38, 293 (1985)).

    Args:
        points: (N, K) features, whitened where they should count alike.
        count: How many to choose.
        known: (M, K) points that are there already; without them the first choice is the point farthest from the mean.

    Returns:
        The choice; gains are distances to the nearest point known or chosen before (for a first choice without any known, to
        the mean). Of equal ones the first is taken.

    Raises:
        ConfigurationError: There are fewer points.
    """
    return choose_farthest_structures(points, [1] * len(points), count, known=known)


def choose_farthest_structures(
    points: Tensor, sizes: Sequence[int], count: int, *, known: Tensor | None = None
) -> Selection:
    """Structures each of which holds the environment that is farthest from all those of the structures chosen before it.

    Args:
        points: (N, K) features of the atoms, structure after structure, whitened where they should count alike.
        sizes: Atoms of each structure.
        count: How many structures to choose.
        known: (M, K) environments that are there already; without them distances are from the mean at first.

    Raises:
        ConfigurationError: There are fewer structures.
    """
    _require(count, len(sizes))
    structure = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    starts = [0, *torch.tensor(sizes).cumsum(0).tolist()]
    squares = points.square().sum(1)
    nearest = _squared_distance(points, squares, points.mean(0, keepdim=True) if known is None else known)
    fresh, chosen, gains = known is None, [], []
    for _ in range(count):
        place = int(structure[nearest.argmax()])
        chosen.append(place)
        gains.append(float(nearest.max().sqrt()))
        own = slice(starts[place], starts[place + 1])
        distance = _squared_distance(points, squares, points[own])
        nearest = distance if fresh else torch.minimum(nearest, distance)
        fresh = False
        nearest[own] = -1.0
    return Selection(tuple(chosen), tuple(gains))


def _squared_distance(points: Tensor, squares: Tensor, references: Tensor, *, at_once: int = 256) -> Tensor:
    """(N,) to the nearest of the references."""
    least = torch.full_like(squares, torch.inf)
    for block in references.split(at_once):
        found = torch.addmm(block.square().sum(1), points, block.T, alpha=-2).amin(1)
        least = torch.minimum(least, found + squares)
    return least.clamp(min=0)


def _require(count: int, available: int) -> None:
    if not 1 <= count <= available:
        raise ConfigurationError(
            f"{count} are to be chosen from {available}",
            place="selection",
            rule="one or more are chosen, and no more than there are",
            mend="choose fewer, or give a larger pool",
        )
