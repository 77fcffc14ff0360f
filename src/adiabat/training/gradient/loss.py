"""The loss, in its one form."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from adiabat.training.gradient.config import Stage


@dataclass(frozen=True)
class Loss:
    """L = Σ_kinds w · ⟨ρ((prediction - label) / scale)⟩, the mean over all labels of a kind.

    ρ(x) = x², or with a Huber threshold h: x² up to |x| = h and 2h|x| - h² beyond. A batch gives Σ ρ over its rows
    divided by how many rows a batch has on average: a sum over structures, so that batches whose structures have fewer labels
    weigh less, and nothing changes where a batch is computed in parts.

    Attributes:
        scales: By kind: eV per atom, eV/Å, eV/Å³.
        rows_per_batch: By kind: the mean.
        huber: h, or None.
    """

    scales: Mapping[str, float]
    rows_per_batch: Mapping[str, float]
    huber: float | None

    def __call__(self, errors: Mapping[str, Tensor], stage: Stage) -> Tensor:
        """Of the rows of a batch, or of a part of it.

        Args:
            errors: Prediction - label, by kind.
            stage: The weights.
        """
        terms = [
            getattr(stage, kind) / self.rows_per_batch[kind] * self._rho(rows / self.scales[kind]).sum()
            for kind, rows in errors.items()
        ]
        return torch.stack(terms).sum()

    def _rho(self, scaled: Tensor) -> Tensor:
        if self.huber is None:
            return scaled.square()
        size, h = scaled.abs(), self.huber
        return torch.where(size <= h, scaled.square(), 2 * h * size - h**2)
