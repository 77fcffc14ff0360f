"""How the spread of a committee's members goes with the errors that they make."""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

from adiabat.system import PartState, register
from adiabat.uncertainty.calibration import Calibration


@register
@dataclass(frozen=True, eq=False)
class CommitteeSpread:
    """The calibration of a committee that was trained together: what stands for the posterior is the variance of its members.

    Attributes:
        calibration: Of the members' variances; there are no displacements.
        record: What it was made from, and what it is worth: JSON values.
    """

    calibration: Calibration
    record: dict[str, Any]
    kind: ClassVar[str] = "committee_spread"

    @property
    def stretch(self) -> float:
        """By how much farther apart members ought to stand, for all kinds of label together."""
        return self.calibration.widening**0.5

    def to_state(self) -> PartState:
        """As the file holds it."""
        return PartState(self.kind, {"calibration": asdict(self.calibration), "record": self.record}, {})

    @classmethod
    def from_state(cls, state: PartState) -> Self:
        """The inverse of `to_state`."""
        return cls(Calibration(**state.values["calibration"]), state.values["record"])
