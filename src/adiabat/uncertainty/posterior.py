"""The posterior of a linear model's coefficients."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from adiabat.system import PartState, register


@register
@dataclass(frozen=True, eq=False)
class LinearPosterior:
    """A Gaussian over the (flattened) coefficients: covariance S L⁻ᵀ L⁻¹ S, with S diagonal and L lower triangular.

    It is the posterior given the model and its noise; the misfit of the model is not in it.

    Attributes:
        mean: (columns,) eV.
        factor: (columns, columns) L, the Cholesky factor of the scaled precision.
        scale: (columns,) the diagonal of S.
        noise: Standard deviation of the labels by kind: eV per atom, eV/Å, eV/Å³.
    """

    mean: Tensor
    factor: Tensor
    scale: Tensor
    noise: dict[str, float]
    kind: ClassVar[str] = "linear_posterior"

    def covariance(self) -> Tensor:
        """(columns, columns) eV²."""
        half = torch.linalg.solve_triangular(self.factor, torch.diag(self.scale), upper=False)
        return half.T @ half

    def to_state(self) -> PartState:
        """The factor is stored as its lower triangle."""
        rows, columns = torch.tril_indices(*self.factor.shape)
        tensors = {"mean": self.mean, "scale": self.scale, "lower_triangle": self.factor[rows, columns].contiguous()}
        return PartState(self.kind, {"noise": self.noise}, tensors)

    @classmethod
    def from_state(cls, state: PartState) -> Self:
        """The inverse of `to_state`."""
        mean = state.tensors["mean"]
        factor = mean.new_zeros(len(mean), len(mean))
        rows, columns = torch.tril_indices(len(mean), len(mean))
        factor[rows, columns] = state.tensors["lower_triangle"]
        noise: dict[str, Any] = state.values["noise"]
        return cls(mean, factor, state.tensors["scale"], {kind: float(value) for kind, value in noise.items()})
