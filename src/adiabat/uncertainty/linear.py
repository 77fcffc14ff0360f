"""Uncertainty of a linear model: variances of rows and draws of coefficients, from its posterior and its misfit."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from adiabat.uncertainty.misfit import PARTS, Misfit, Part
from adiabat.uncertainty.posterior import LinearPosterior

ROWS_AT_ONCE = 2048
"""Whitened together: enough that the factor is fetched seldom, in bounded memory."""


@dataclass(frozen=True, eq=False)
class LinearUncertainty:
    """What posterior and misfit say together.

    Attributes:
        posterior: Of the coefficients.
        misfit: Of the model.
    """

    posterior: LinearPosterior
    misfit: Misfit

    def variances(self, rows: Tensor, kind: str) -> tuple[Tensor, Tensor]:
        """(n,) parametric and (n,) misfit variances of rows (n, columns) of a kind of label, in the square of its unit.

        Energies are per atom.
        """
        parts = rows.split(ROWS_AT_ONCE)
        posterior = torch.cat([self.posterior.covariance.variance(part) for part in parts])
        displaced = torch.cat([self.misfit.mean_square(part) for part in parts])
        parametric, misfit = self.misfit.calibration.variances(posterior.numpy(), displaced.numpy(), kind)
        return torch.from_numpy(parametric), torch.from_numpy(misfit)

    def coefficients(self, part: Part, count: int, seed: int) -> Tensor:
        """(count, columns) coefficients of members: drawn about the posterior's mean."""
        calibration, covariance = self.misfit.calibration, self.posterior.covariance
        wide = {
            "parametric": calibration.design_effect,
            "misfit": calibration.widening,
            "all": calibration.design_effect + calibration.widening,
        }[part]
        seeds = np.random.SeedSequence((seed, PARTS.index(part))).generate_state(2).tolist()
        drawn = wide**0.5 * covariance.draw(count, seeds[0])
        if part != "parametric":
            drawn = drawn + calibration.weight**0.5 * self.misfit.draw(count, seeds[1])
        return self.posterior.mean + drawn
