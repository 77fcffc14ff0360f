"""Spread: which coefficients might be right as well, by what is said of groups of structures that were left out of the fit."""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal, Self, get_args

import numpy as np
import torch
from torch import Tensor

from adiabat.errors import PropertyUnavailable
from adiabat.system import PartState, register
from adiabat.uncertainty.calibration import Calibration

Part = Literal["parametric", "misfit", "all"]
"""Of an uncertainty: what other data of the same sorts would change; what no coefficients remove; both."""
PARTS: tuple[Part, ...] = get_args(Part)


@register
@dataclass(frozen=True, eq=False)
class Spread:
    """What groups of structures, each left out in turn, say of the coefficients, and the calibration of that.

    The mean square of the *moves* along a row is the jackknife's variance of it: by how much a fit to other data of the same
    sorts would differ, with errors that are alike within a structure (B. Efron, C. Stein, Ann. Stat. 9, 586 (1981)).

    A *displacement* is the smallest, in the posterior's metric, that makes the fit meet the group's left-out residuals. Their
    mean square along a row is an estimate of the row's misfit that is right for sums of rows too, in the manner of
    pointwise optimal parameter sets (T. D. Swinburne, D. Perez, arXiv:2402.01810), with groups in place of points.

    Attributes:
        moves: (groups, columns) eV, by which the fit moves without each group, times the root of the number of all groups.
        displacements: (groups, columns) eV.
        calibration: Of the variances.
        multiples: By kind of label, of the standard deviation: how wide the central intervals of 1 %, 2 % ... 99 % are by the
            left-out residuals themselves, whatever their distribution.
        record: What the calibration was made from, and what it is worth: JSON values.
    """

    moves: Tensor
    displacements: Tensor
    calibration: Calibration
    multiples: dict[str, list[float]]
    record: dict[str, Any]
    kind: ClassVar[str] = "spread"

    def interval(self, kind: str, level: float) -> float:
        """How many standard deviations to either side hold a share of new errors: conformal, where Gaussian tails may not hold.

        Split conformal prediction with the left-out residuals in place of a held-out set (J. Lei et al., J. Am. Stat. Assoc. 113,
        1094 (2018)).

        Args:
            kind: "energy" (per atom), "forces" (a component) or "stress".
            level: From 0.01 to 0.99, and no more than the number of groups over one more: what it can vouch for.

        Raises:
            PropertyUnavailable: There were no labels of the kind, or another level.
        """
        groups = int(self.record["groups"])
        highest = min(0.99, groups / (groups + 1))
        if kind not in self.multiples or not 0.01 <= level <= highest:
            raise PropertyUnavailable(
                f"the interval of {level} of {kind} was asked for",
                rule=f"{groups} groups of structures vouch for intervals from 0.01 to {highest:.3g}, of {', '.join(self.multiples)}",
                mend="ask for one of these, or train with such labels",
            )
        return float(np.interp(100 * level, np.arange(1, 100), self.multiples[kind]))

    def to_state(self) -> PartState:
        """As the file holds it."""
        values = {"calibration": asdict(self.calibration), "multiples": self.multiples, "record": self.record}
        return PartState(self.kind, values, {"moves": self.moves, "displacements": self.displacements})

    @classmethod
    def from_state(cls, state: PartState) -> Self:
        """The inverse of `to_state`."""
        values, tensors = state.values, state.tensors
        calibration = Calibration(**values["calibration"])
        return cls(tensors["moves"], tensors["displacements"], calibration, values["multiples"], values["record"])


def mean_square(rows: Tensor, coefficients: Tensor) -> Tensor:
    """(n,) over sets of coefficients (sets, columns), of their sums with rows (n, columns)."""
    return (rows @ coefficients.T).square().mean(1)


def draw(coefficients: Tensor, count: int, seed: int) -> Tensor:
    """(count, columns) normal, with the mean square of sets of coefficients (sets, columns) as their covariance."""
    generator = torch.Generator().manual_seed(seed)
    sets = len(coefficients)
    return torch.randn(count, sets, generator=generator, dtype=coefficients.dtype) @ coefficients / sets**0.5
