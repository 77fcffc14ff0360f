"""Misfit: what no coefficients remove, as a spread of coefficients that is as wide as left-out residuals are."""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal, Self, get_args

import torch
from torch import Tensor

from adiabat.system import PartState, register
from adiabat.uncertainty.calibration import Calibration

Part = Literal["parametric", "misfit", "all"]
"""Of an uncertainty: what other data of the same sorts would change; what no coefficients remove; both."""
PARTS: tuple[Part, ...] = get_args(Part)


@register
@dataclass(frozen=True, eq=False)
class Misfit:
    """Displacements of the coefficients, each asked for by a group of structures that was left out, and their calibration.

    A displacement is the smallest, in the posterior's metric, that makes the fit meet the group's left-out residuals. Their
    mean square along a row is an estimate of the row's misfit that is right for sums of rows too, in the manner of
    pointwise optimal parameter sets (T. D. Swinburne, D. Perez, arXiv:2402.01810), with groups in place of points.

    Attributes:
        displacements: (groups, columns) eV.
        calibration: Of the variances.
        record: What the calibration was made from, and what it is worth: JSON values.
    """

    displacements: Tensor
    calibration: Calibration
    record: dict[str, Any]
    kind: ClassVar[str] = "misfit"

    def mean_square(self, rows: Tensor) -> Tensor:
        """(n,) of the displacements along rows (n, columns)."""
        return (rows @ self.displacements.T).square().mean(1)

    def draw(self, count: int, seed: int) -> Tensor:
        """(count, columns) normal with the displacements' mean square as their covariance."""
        generator = torch.Generator().manual_seed(seed)
        groups = len(self.displacements)
        normal = torch.randn(count, groups, generator=generator, dtype=self.displacements.dtype)
        return normal @ self.displacements / groups**0.5

    def to_state(self) -> PartState:
        """As the file holds it."""
        values = {"calibration": asdict(self.calibration), "record": self.record}
        return PartState(self.kind, values, {"displacements": self.displacements})

    @classmethod
    def from_state(cls, state: PartState) -> Self:
        """The inverse of `to_state`."""
        calibration = Calibration(**state.values["calibration"])
        return cls(state.tensors["displacements"], calibration, state.values["record"])
