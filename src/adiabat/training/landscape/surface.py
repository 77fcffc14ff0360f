"""The loss of a model as a function of one vector, its parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import torch
from torch import Tensor

from adiabat.system import TrainableModel
from adiabat.training.gradient.average import put
from adiabat.training.gradient.config import Stage
from adiabat.training.gradient.gradients import Gradients
from adiabat.training.gradient.loss import Loss
from adiabat.training.gradient.targets import Target, count_of_kind

ATOMS_AT_ONCE = 512
STEP = 1e-6
"""Of a difference of gradients, in lengths of the vector of parameters. On a network for silicon an eigenvalue of -4,223 (the largest
is 10⁷) leaves a residual of 0.008; with ten times the step 0.8, for the loss is far from a parabola."""


@dataclass(frozen=True, eq=False)
class LossSurface:
    """L(θ) over some structures, without batches or averages; θ is counted from the model's own parameters.

    Attributes:
        gradients: Of the model, in float64.
        stage: Weights of the kinds of label.
        origin: (parameters,) the model's.
    """

    gradients: Gradients
    stage: Stage
    origin: Tensor = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "origin", torch.cat([p.detach().flatten() for p in self.gradients.parameters]))

    @classmethod
    def of(
        cls,
        model: TrainableModel,
        targets: Sequence[Target],
        *,
        scales: Mapping[str, float],
        stage: Stage,
        huber: float | None = None,
    ) -> Self:
        """Of a model, which is copied.

        Args:
            model: With its parameters.
            targets: Structures and what is to be learned of their labels.
            scales: Of errors, by kind of label.
            stage: Weights of the kinds.
            huber: See `Loss`.
        """
        own = model.to(dtype=torch.float64)
        parameters = [parameter.requires_grad_() for _, parameter in own.named_parameters()]
        counts = {kind: float(count) for kind, count in count_of_kind(targets).items()}
        loss = Loss(scales, counts, huber)
        return cls(Gradients(own, parameters, targets, loss, torch.float64), stage)

    def at(self, change: Tensor) -> tuple[float, Tensor]:
        """Loss and gradient (parameters,) at the model's own parameters plus a change."""
        parameters = self.gradients.parameters
        values = (self.origin + change).split([parameter.numel() for parameter in parameters])
        put([value.reshape(of.shape) for value, of in zip(values, parameters, strict=True)], parameters)
        every = range(len(self.gradients.targets))
        loss, found, _ = self.gradients.of(every, self.stage, ATOMS_AT_ONCE)
        return loss, torch.cat([gradient.flatten() for gradient in found])

    def curved(self, change: Tensor, direction: Tensor) -> Tensor:
        """(parameters,) H v, the second derivative along a direction, as a central difference of gradients."""
        length = float(direction.norm())
        step = STEP * max(float((self.origin + change).norm()), 1.0) / length
        ahead, behind = (self.at(change + sign * step * direction)[1] for sign in (1.0, -1.0))
        return (ahead - behind) / (2 * step)
