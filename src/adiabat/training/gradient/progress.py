"""How far a descent has come: all that is not a tensor."""

import json
from dataclasses import asdict, dataclass, field
from typing import Self

from adiabat.training.gradient.history import EpochRecord


@dataclass
class Progress:
    """Where a descent stands.

    Attributes:
        epoch: Epochs done.
        batch: Batches done of the next one.
        step: Steps done.
        planned_epochs: In all.
        loss_sum: Of the batches of the running epoch.
        typical_norm: A running mean of the gradients' norms; 0 before the first.
        seconds: Since the beginning, interruptions aside.
        best_score: Of the best validation.
        best_epoch: When it was.
        atoms_at_once: Batches with more are computed in parts, for memory.
        records: Of the epochs done.
    """

    planned_epochs: int
    epoch: int = 0
    batch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    typical_norm: float = 0.0
    seconds: float = 0.0
    best_score: float = float("inf")
    best_epoch: int = 0
    atoms_at_once: int | None = None
    records: list[EpochRecord] = field(default_factory=list)

    def to_json(self) -> str:
        """Floats with all their digits."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`."""
        values = json.loads(text)
        return cls(**values | {"records": [EpochRecord(**record) for record in values["records"]]})
