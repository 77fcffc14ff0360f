"""The posterior of a linear model's coefficients."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from torch import Tensor, tril_indices

from adiabat.system import PartState, register
from adiabat.uncertainty.covariance import Covariance


@register
@dataclass(frozen=True, eq=False)
class LinearPosterior:
    """A Gaussian over the (flattened) coefficients, given the model and independent noise; the model's misfit is not in it.

    Attributes:
        mean: (columns,) eV.
        covariance: eV².
        noise: Standard deviation of the labels by kind: eV per atom, eV/Å, eV/Å³.
    """

    mean: Tensor
    covariance: Covariance
    noise: dict[str, float]
    kind: ClassVar[str] = "linear_posterior"

    def to_state(self) -> PartState:
        """The factor is stored as its lower triangle."""
        factor, scale = self.covariance.factor, self.covariance.scale
        rows, columns = tril_indices(*factor.shape)
        tensors = {"mean": self.mean, "scale": scale, "lower_triangle": factor[rows, columns].contiguous()}
        return PartState(self.kind, {"noise": self.noise}, tensors)

    @classmethod
    def from_state(cls, state: PartState) -> Self:
        """The inverse of `to_state`."""
        mean = state.tensors["mean"]
        factor = mean.new_zeros(len(mean), len(mean))
        rows, columns = tril_indices(len(mean), len(mean))
        factor[rows, columns] = state.tensors["lower_triangle"]
        noise: dict[str, Any] = state.values["noise"]
        covariance = Covariance(factor, state.tensors["scale"])
        return cls(mean, covariance, {kind: float(value) for kind, value in noise.items()})
