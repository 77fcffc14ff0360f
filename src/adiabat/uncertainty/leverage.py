"""Leverage: how far an atom's energy would move with the coefficients that the training leaves open."""

from dataclasses import dataclass

import torch
from torch import Tensor

from adiabat.uncertainty.covariance import Covariance

ATOMS_AT_ONCE = 2048


@dataclass(frozen=True, eq=False)
class LeverageDetector:
    """sqrt(b C bᵀ), in eV: the standard deviation of an atom's energy under the covariance of the coefficients.

    R. D. Cook, Technometrics 19, 15 (1977), for a row of the design.

    Attributes:
        covariance: C (species · K)², the same object that the posterior holds.
        n_species: How many species the columns stand for, one after the other.
    """

    covariance: Covariance
    n_species: int

    def grades(self, features: Tensor, species: Tensor) -> Tensor:
        """(N,) of features (N, K) and species' places (N,): see `Detector`."""
        blocks = zip(features.split(ATOMS_AT_ONCE), species.split(ATOMS_AT_ONCE), strict=True)
        return torch.cat([self.covariance.variance(self._wide(*block)).sqrt() for block in blocks])

    def left_out(self, features: Tensor, species: Tensor, rows: Tensor) -> Tensor:
        """(N,) grades by what the covariance would be without some rows of the fit, in closed form.

        Exact for a covariance that is the inverse of a precision with these rows in it: that of the posterior.

        Args:
            features: (N, K) of the atoms of the structures that are left out.
            species: (N,) places.
            rows: (m, species · K) the rows of the structures' labels, each divided by the standard deviation of its noise.
        """
        whitened, atoms = self.covariance.whiten(rows), self.covariance.whiten(self._wide(features, species))
        rest = torch.eye(len(rows), dtype=rows.dtype) - whitened.T @ whitened
        across = whitened.T @ atoms
        return (atoms.square().sum(0) + (across * torch.linalg.solve(rest, across)).sum(0)).sqrt()

    def _wide(self, features: Tensor, species: Tensor) -> Tensor:
        """(n, species · K): an atom's features in the columns of its species."""
        wide = features.new_zeros(len(features), self.n_species, features.shape[1])
        wide[torch.arange(len(features)), species] = features
        return wide.flatten(1)
