"""Uncertainty of a linear model: variances of rows and draws of coefficients, from its posterior and its spread."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from adiabat.uncertainty.covariance import CovarianceRoot
from adiabat.uncertainty.posterior import LinearPosterior
from adiabat.uncertainty.spread import PARTS, Part, Spread, draw, mean_square

ROWS_AT_ONCE = 2048
"""Whitened together: enough that the factor is fetched seldom, in bounded memory."""


@dataclass(frozen=True, eq=False)
class LinearUncertainty:
    """What posterior and spread say together.

    Attributes:
        posterior: Of the coefficients.
        spread: Of the coefficients, by structures left out.
    """

    posterior: LinearPosterior
    spread: Spread

    def variances(self, rows: Tensor, kind: str) -> tuple[Tensor, Tensor]:
        """(n,) parametric and (n,) misfit variances of rows (n, columns) of a kind of label, in the square of its unit.

        Energies are per atom.
        """
        parts = rows.split(ROWS_AT_ONCE)
        posterior = torch.cat([self.posterior.covariance.variance(part) for part in parts])
        displaced = torch.cat([mean_square(part, self.spread.displacements) for part in parts])
        misfit = self.spread.calibration.misfit(posterior.numpy(), displaced.numpy(), kind)
        return torch.cat([mean_square(part, self.spread.moves) for part in parts]), torch.from_numpy(misfit)

    def root(self, kind: str) -> CovarianceRoot:
        """Of the covariance that variances of a kind come from, but for what is not quadratic in a row: root and floor."""
        spread, calibration = self.spread, self.spread.calibration
        squared = calibration.scale[kind] ** 2
        displacements = spread.displacements * (squared * calibration.weight / len(spread.displacements)) ** 0.5
        moves = spread.moves / len(spread.moves) ** 0.5
        wide = self.posterior.covariance.times(squared * calibration.widening)
        return CovarianceRoot(wide, torch.cat([displacements, moves]))

    def coefficients(self, part: Part, count: int, seed: int) -> Tensor:
        """(count, columns) coefficients of members: drawn about the posterior's mean."""
        spread, calibration = self.spread, self.spread.calibration
        seeds = np.random.SeedSequence((seed, PARTS.index(part))).generate_state(3).tolist()
        found = self.posterior.mean.expand(count, -1)
        if part != "misfit":
            found = found + draw(spread.moves, count, seeds[0])
        if part != "parametric":
            found = found + calibration.widening**0.5 * self.posterior.covariance.draw(count, seeds[1])
            found = found + calibration.weight**0.5 * draw(spread.displacements, count, seeds[2])
        return found
