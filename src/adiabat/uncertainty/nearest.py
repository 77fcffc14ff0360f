"""Distance to the nearest environment of the training."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from adiabat.uncertainty.detector import Environments, each_species
from adiabat.uncertainty.feature_statistics import FeatureStatistics
from adiabat.uncertainty.whitening import Whitening

LEADING = 64
"""Directions, those of the largest eigenvalues of the correlation matrix, that distances are exact in."""
AT_ONCE = 4096
"""Environments that are compared with as many of the training at a time: 128 MiB of distances."""


@dataclass(frozen=True, eq=False)
class NearestDetector:
    """The distance to the nearest training environment of the species, in whitened features, over sqrt(K).

    Distances are exact within the leading directions. Of all others, an environment's distance from the mean is known alone:
    two environments count as far apart as these differ, which is the least that their distance can be.

    Attributes:
        whitenings: By species; None where the training holds none of it.
        leading: By species, (K, directions): of whitened features.
        references: By species, (atoms, directions + 1): what `_project` makes of the training's.
    """

    whitenings: tuple[Whitening | None, ...]
    leading: tuple[Tensor, ...]
    references: tuple[Tensor, ...]

    @classmethod
    def fit(cls, structures: Sequence[Environments], n_species: int) -> Self:
        """From the training structures."""
        statistics = FeatureStatistics.of_structures(structures, tuple(range(n_species)))
        atoms = Environments.together(structures)
        whitenings, leading, references = [], [], []
        for place in range(n_species):
            if statistics.count[place] == 0:
                whitenings, leading, references = (
                    [*whitenings, None],
                    [*leading, torch.empty(0)],
                    [*references, torch.empty(0)],
                )
                continue
            whitening = Whitening.of(statistics.mean[place], statistics.covariance[place])
            spread = whitening.factor.T @ whitening.factor
            whitenings.append(whitening)
            leading.append(torch.linalg.eigh(spread)[1][:, -LEADING:])
            references.append(_project(whitening, leading[-1], atoms.features[atoms.species == place]))
        return cls(tuple(whitenings), tuple(leading), tuple(references))

    def grades(self, features: Tensor, species: Tensor) -> Tensor:
        """(N,) of features (N, K) and species' places (N,): see `Detector`."""
        return each_species(features, species, len(self.references), self._grade)

    def _grade(self, place: int, features: Tensor) -> Tensor:
        whitening = self.whitenings[place]
        if whitening is None:
            return torch.full_like(features[:, 0], torch.inf)
        found = [
            _nearest(_project(whitening, self.leading[place], block), self.references[place])
            for block in features.split(AT_ONCE)
        ]
        return torch.cat(found) / features.shape[1] ** 0.5


def _project(whitening: Whitening, leading: Tensor, features: Tensor) -> Tensor:
    """(n, directions + 1): whitened features along the leading directions, and how far from the mean in all others."""
    whitened = whitening(features)
    along = whitened.T @ leading
    rest = whitened.square().sum(0) - along.square().sum(1)
    return torch.cat([along, rest.clamp(min=0).sqrt()[:, None]], dim=1)


def _nearest(points: Tensor, references: Tensor) -> Tensor:
    """(n,) the distance from each point to the nearest reference."""
    least = points.new_full((len(points),), torch.inf)
    place = torch.zeros(len(points), dtype=torch.int64)
    for start in range(0, len(references), AT_ONCE):
        block = references[start : start + AT_ONCE]
        relative, nearest = torch.addmm(block.square().sum(1), points, block.T, alpha=-2).min(1)
        closer = relative < least
        least[closer], place[closer] = relative[closer], start + nearest[closer]
    return (points - references[place]).norm(dim=1)
