"""The D-optimal extrapolation grade and its active set.

E. V. Podryabinkin and A. V. Shapeev, Comput. Mater. Sci. 140, 171 (2017), the version by environments; the active set by
S. A. Goreinov et al., "How to find a good submatrix", in Matrix Methods (World Scientific, 2010), p. 247.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from adiabat.uncertainty.detector import Environments, each_species
from adiabat.uncertainty.whitening import NARROWEST, RIDGE

LARGEST = 1.05
"""Exchanges stop where none would multiply the volume of the active set by more."""


@dataclass(frozen=True, eq=False)
class ActiveSet:
    """K rows of largest volume, of one species.

    Candidates are the features of the training's environments, over their root mean squares, and the rows of the prior: each
    feature alone, of size sqrt(RIDGE). So the set is never singular: where the training holds fewer independent environments
    than there are features, rows of the prior stand for the rest, and whatever lies along them has a large grade.

    Attributes:
        scale: (K,) root mean squares.
        inverse: (K, K) A⁻¹, of the scaled rows.
        chosen: The environments' places among those that were chosen from, ascending; the prior makes up for those missing to K.
    """

    scale: Tensor
    inverse: Tensor
    chosen: tuple[int, ...]

    @classmethod
    def of(cls, features: Tensor) -> Self:
        """From the features (n, K) of the training's environments of a species."""
        n, functions = features.shape
        square = features.square().mean(0)
        scale = square.clamp(min=max(NARROWEST**2 * float(square.max()), 1e-300)).sqrt()
        prior = RIDGE**0.5 * torch.eye(functions, dtype=features.dtype)
        candidates = torch.cat([features / scale, prior])
        rows = _largest_volume(candidates)
        inverse = torch.linalg.inv(candidates[rows])
        return cls(scale, inverse, tuple(sorted(row for row in rows.tolist() if row < n)))

    def grades(self, features: Tensor) -> Tensor:
        """(n,) max |b A⁻¹|: by how much the volume would grow if the atom took the place of one in the set."""
        return ((features / self.scale) @ self.inverse).abs().amax(1)


@dataclass(frozen=True, eq=False)
class MaxVolDetector:
    """The extrapolation grade γ = max |b A⁻¹|, with the active set of the atom's species; up to about one for the training.

    Attributes:
        sets: By species; None where the training holds none of it.
    """

    sets: tuple[ActiveSet | None, ...]

    @classmethod
    def fit(cls, structures: Sequence[Environments], n_species: int) -> Self:
        """From the training structures."""
        atoms = Environments.together(structures)
        of_species = [atoms.features[atoms.species == place] for place in range(n_species)]
        return cls(tuple(ActiveSet.of(features) if len(features) else None for features in of_species))

    def grades(self, features: Tensor, species: Tensor) -> Tensor:
        """(N,) of features (N, K) and species' places (N,): see `Detector`."""
        return each_species(features, species, len(self.sets), self._grade)

    def _grade(self, place: int, features: Tensor) -> Tensor:
        active = self.sets[place]
        return torch.full_like(features[:, 0], torch.inf) if active is None else active.grades(features)


def _largest_volume(candidates: Tensor) -> Tensor:
    """(K,) rows of a (m, K) matrix of rank K whose determinant no exchange of one row multiplies by more than `LARGEST`.

    Begins with the pivots of Gaussian elimination. The largest element of C A⁻¹ says which exchange is the best, and is the
    factor on the determinant; after it C A⁻¹ differs by a matrix of rank one.
    """
    functions = candidates.shape[1]
    factored, pivots = torch.linalg.lu_factor(candidates)
    rows = torch.arange(len(candidates))
    for k, pivot in enumerate((pivots - 1).tolist()):
        rows[[k, pivot]] = rows[[pivot, k]]
    rows = rows[:functions].clone()
    upper = factored[:functions].triu()
    lower = torch.tril(factored[:functions], -1) + torch.eye(functions, dtype=candidates.dtype)
    ratios = torch.linalg.solve_triangular(upper, candidates, upper=True, left=False)
    ratios = torch.linalg.solve_triangular(lower, ratios, upper=False, left=False, unitriangular=True)
    while True:
        largest, columns = _largest_of_rows(ratios)
        row = int(largest.argmax())
        column = int(columns[row])
        factor = float(ratios[row, column])
        if abs(factor) <= LARGEST:
            return rows
        change = ratios[row].clone()
        change[column] -= 1
        ratios.addr_(ratios[:, column].clone(), change, alpha=-1 / factor)
        rows[column] = row


def _largest_of_rows(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Magnitude and column of each row's largest element."""
    high, where_high = matrix.max(1)
    low, where_low = matrix.min(1)
    return torch.maximum(high, -low), torch.where(high >= -low, where_high, where_low)
